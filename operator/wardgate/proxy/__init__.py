"""The data plane: a supervisor, its workers, and the sans-I/O core that decides what happens to a request."""
