"""The caller's side of a worker: its connection, and each request on it on its way through."""
