"""The last good forms of objects, kept in Secrets across restarts of the operator."""
