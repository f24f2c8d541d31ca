"""Destinations of routes: Services, ExternalServices and ExternalEndpoints as upstreams."""
