"""Where requests come in: what VirtualGateways say, who gets a port, which tables stand on which listener."""
