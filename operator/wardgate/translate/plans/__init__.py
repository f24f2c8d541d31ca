"""One RouteTable or VirtualGateway by itself, as data: independent of every other object."""
