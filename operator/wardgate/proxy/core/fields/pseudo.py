"""A request line's parts under the names of headers: ``:path``, ``:method``, ``:authority``, ``:scheme`` and ``host``.

Matchers and templates read them as they read headers. ``host`` and ``:authority`` are one.
"""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.core.fields import forwarded
from wardgate.proxy.core.fields.connection import is_of_connection
from wardgate.proxy.core.fields.folded import values_of
from wardgate.proxy.core.grammar import is_field_name
from wardgate.proxy.core.messages import Request

FIXED = frozenset({b":path", b":method", b":authority", b"host", b":scheme", b":status"})
"""Names that every message of their kind has: a template sets them and removes none."""


def request_path(request: Request) -> bytes:
    """Return ``:path``: the path with its query."""
    return request.path if request.query is None else request.path + b"?" + request.query


_PSEUDO: dict[bytes, Callable[[Request], bytes | None]] = {
    b":path": request_path,
    b":method": lambda request: request.method,
    b":authority": lambda request: request.authority,
    b"host": lambda request: request.authority,
    b":scheme": lambda request: request.scheme,
    forwarded.FOR: lambda request: forwarded.forwarded_value(request, forwarded.FOR),
    forwarded.HOST: lambda request: forwarded.forwarded_value(request, forwarded.HOST),
    forwarded.PROTO: lambda request: forwarded.forwarded_value(request, forwarded.PROTO),
}


def header_value(request: Request, name: bytes) -> bytes | None:
    """Return a header's value as matchers see it, pseudo-headers included; repeated values are joined by commas.

    ``name`` is folded.
    """
    pseudo = _PSEUDO.get(name)
    if pseudo is not None:
        return pseudo(request)
    values = values_of(request.headers, name)
    return b",".join(values) if values else None


def is_ordinary_name(name: bytes) -> bool:
    """Whether this is a legal name of a header that is none of the special ones and goes on to an upstream."""
    return name not in FIXED and not is_of_connection(name) and is_field_name(name)


def is_settable(name: bytes) -> bool:
    """Whether a template may name this header: a legal name or a pseudo-header."""
    return name in FIXED or is_field_name(name)
