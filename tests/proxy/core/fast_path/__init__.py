"""The fast path: what is plain, and that a plain request goes out as the exchange would send it."""
