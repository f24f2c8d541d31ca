"""The fast path: a plain request whose outcome is known, and the plain response to it, each read in one pass."""
