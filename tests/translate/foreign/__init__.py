"""Objects of kinds that Wardgate does not implement."""
