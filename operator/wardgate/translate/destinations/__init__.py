"""Where requests go: Services, ExternalServices and ExternalEndpoints as upstreams."""
