"""aheadbench: which sequence model forecasts the next H values of a short noisy series best, and at what cost?"""

__version__ = "0.2.0"
