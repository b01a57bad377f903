"""Studies of what forecasts promise: coverage of intervals, regret of advice. Nothing imports them."""
