"""State that one translation hands to the next, so that a change costs the objects it touches (docs/decisions/0032)."""
