"""Training as arrays: options, schedules, seeds, windows and early stopping, in NumPy, alike for every framework."""
