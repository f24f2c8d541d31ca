"""Hosts, paths, patterns and matchers: which requests are meant, and whether two matchers can meet."""
