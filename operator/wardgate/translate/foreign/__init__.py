"""What objects of kinds that Wardgate does not implement mean to its routes."""
