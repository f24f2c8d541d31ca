"""Routes compiled from a config, and the one that takes a request."""
