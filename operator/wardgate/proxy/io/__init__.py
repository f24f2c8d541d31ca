"""Bytes in and out: the only place of the data plane where a socket is touched."""
