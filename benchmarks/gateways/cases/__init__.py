"""The cases: each is measured by itself, and has goals."""
