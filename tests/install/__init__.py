"""Installing from the locks, as a newcomer's machine does it."""
