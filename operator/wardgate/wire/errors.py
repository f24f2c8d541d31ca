"""Errors between the model and its bytes, by who must act. No message ever holds a value."""

from __future__ import annotations


class WireError(Exception):
    """These bytes cannot be used. Whoever received them keeps what it served before."""


class SchemaError(WireError):
    """Written by a version too far from this one: upgrade the older side."""


class EncodeError(WireError):
    """The configuration cannot be written: a bug of whoever built it, or a nesting beyond the bound."""


class FrameError(WireError):
    """The stream between supervisor and worker is out of step and must be closed."""
