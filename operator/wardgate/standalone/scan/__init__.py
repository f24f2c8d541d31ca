"""A folder as an API server: which files it holds, when they change, and the objects that a scan finds in them."""
