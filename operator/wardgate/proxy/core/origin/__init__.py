"""Where a request comes from: the caller behind the proxies that stand in front of a listener."""
