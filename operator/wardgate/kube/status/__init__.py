"""Statuses and Events that the operator writes, from verdicts and from what the proxies serve."""
