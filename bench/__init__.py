"""aheadbench: which sequence model forecasts the next H values of a short noisy series best, and at what cost?"""
