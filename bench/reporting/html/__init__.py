"""`python -m bench report`: all records as one HTML page that needs nothing else.

results.read -> leaderboard.assess -> data -> page
"""
