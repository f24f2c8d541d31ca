"""Host names, paths, patterns and matchers: the requests they mean, and whether two of them can meet."""
