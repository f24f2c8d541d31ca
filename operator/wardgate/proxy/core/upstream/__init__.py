"""Upstreams: the choice of one, the address that may be dialled, the certificate that may answer."""
