"""YAML as Kubernetes reads it, with the position of every field, and no further than a document can be read."""
