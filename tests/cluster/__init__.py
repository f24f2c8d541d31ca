"""A real Kubernetes API server for the tests: see ``cluster.py`` for what a test can ask of it."""
