"""A config between those who make it and those who serve it."""
