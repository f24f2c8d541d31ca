"""Callers and upstreams: wrk with scripts, a prober, event streams."""
