"""A file's documents as objects: those that can be read, and what counts in the place of those that cannot."""
