"""Programs that run in pods of the tests, with nothing but Python's own library."""
