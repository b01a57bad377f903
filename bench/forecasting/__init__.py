"""A fitted method on a user's series: training, intervals, recommendation."""
