"""Objects of kinds that Wardgate does not implement, and their meaning to its routes."""
