"""The servers that are measured: the site that each of them serves, as its own configuration."""
