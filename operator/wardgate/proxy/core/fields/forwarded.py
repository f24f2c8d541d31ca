"""The way that a request came, as the gateway vouches for it: ``X-Forwarded-For``, ``-Proto`` and ``-Host``.

A caller's own fields of these names end on arrival, and with them ``Forwarded``, ``X-Forwarded-Port`` and ``X-Real-IP``
(``field_names.ORIGIN``): a server behind the gateway takes them for the gateway's word. ``Request.forwarded`` stands
beside the headers and costs a request nothing; matchers and templates read it, a template may set or remove it, and it
goes to the upstreams that are to know (``ir.Upstream.send_forwarded``).
"""

from __future__ import annotations

from typing import Final

from wardgate.proxy.core.fields.folded import fold, values_of
from wardgate.proxy.core.fields.key_copies import holds
from wardgate.proxy.core.messages import Header, Request

FOR: Final = b"x-forwarded-for"
HOST: Final = b"x-forwarded-host"
PROTO: Final = b"x-forwarded-proto"
NAMES: Final = frozenset({FOR, HOST, PROTO})


def forwarded_value(request: Request, name: bytes) -> bytes | None:
    """Return the value of one of ``NAMES``, with what templates have added to it; None if it is absent."""
    told = [value for given, value in vouched_for(request) if given == name]
    values = told + values_of(request.headers, name)
    return b",".join(values) if values else None


def vouched_for(request: Request) -> tuple[Header, ...]:
    """Return the fields that are told; never one that holds a key: believed proxies pass on what callers write."""
    keys = request.hidden_keys
    if not keys:
        return request.forwarded
    return tuple(field for field in request.forwarded if not any(holds(field[1], key) for key in keys))


def withdraw(request: Request, name: bytes) -> None:
    """Tell a field no more, because a template sets or removes it; any spelling, any header."""
    folded = fold(name)
    if folded in NAMES:
        request.forwarded = tuple(field for field in request.forwarded if field[0] != folded)


def tell(request: Request, *, host_changes: bool) -> None:
    """Put the fields among the headers. Where another host is asked for, the caller's goes in ``X-Forwarded-Host``."""
    if host_changes and forwarded_value(request, HOST) is None:
        request.headers.append((HOST, request.authority))
    request.headers += vouched_for(request)
