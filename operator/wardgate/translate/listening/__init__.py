"""VirtualGateways: their listeners, the ports they get, and the tables that stand on each listener."""
