"""The parts of the leaderboard, each as Markdown."""
