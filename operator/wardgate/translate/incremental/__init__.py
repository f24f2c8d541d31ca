"""What one translation keeps for the next, so that a change costs what it touches."""
