"""Every decision about a request, on bytes and dataclasses: no socket, no clock, no loop."""
