"""Trailer fields (RFC 9110, 6.5): which of them go on behind a body in chunks, from caller to upstream and back.

Rule 1: trailers go on where both sides take them: both messages are in chunks, and a caller that shall get any has said
        ``TE: trailers`` (10.1.4); the upstream is told so then, and only then. Elsewhere they are dropped (6.5.2).
Rule 2: none goes on past a plan that transforms this message: it would not see them.
Rule 3: a field goes on whose meaning waits for the end of a body. Fields that say how a message is framed, routed,
        authenticated, asked for, stored or read do not (6.5.1), in any spelling: whoever merges trailers into the
        headers, against the RFC, would obey them.
Rule 4: a caller's field that the route's policy reads or sets, or whose value holds the accepted key, does not
        (invariants 2 and 3).
Rule 5: trailers are bounded by whoever reads them: 8 KiB of a request, ``response_head_bytes`` of a response.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.proxy.core.fields.folded import fold, folded_names
from wardgate.proxy.core.fields.key_copies import holds
from wardgate.proxy.core.grammar import PROXY_WRITTEN, UNSENDABLE, is_field_name, members
from wardgate.proxy.core.http1.framing import LAST_CHUNK
from wardgate.proxy.core.http1.request_head import SPECIAL, RequestHead
from wardgate.proxy.core.messages import Header, HeaderList, Request
from wardgate.proxy.core.replies import ERROR_SOURCE

TE_TRAILERS: Final = b"connection: te\r\nte: trailers\r\n"
"""Tells an upstream that trailers are wanted."""

_FORBIDDEN: Final = (
    frozenset(map(fold, PROXY_WRITTEN | SPECIAL | {ERROR_SOURCE[0]}))
    | folded_names(CREDENTIAL_HEADERS)
    | frozenset(
        {
            *(b"age", b"allow", b"alt-svc", b"authentication-info", b"cache-control", b"clear-site-data", b"date"),
            *(b"expires", b"forwarded", b"location", b"max-forwards", b"pragma", b"prefer", b"range", b"realm"),
            *(b"refresh", b"retry-after", b"set-cookie", b"set-cookie2", b"traceparent", b"tracestate", b"vary"),
            *(b"via", b"warning", b"www-authenticate", b"x-real-ip", b"x-request-id", b"x-user-id"),
        }
    )
)
_FAMILIES: Final = (
    *(b"accept", b"access-control-", b"content-", b"cross-origin-", b"if-", b"proxy-", b"sec-", b"x-envoy-"),
    *(b"x-forwarded", b"x-http-method", b"x-method-", b"x-original-", b"x-rewrite-"),
)
_DIGESTS: Final = frozenset({b"content-digest", b"content-md5"})
"""Of the families, what can be known at the end alone (RFC 9530, 2)."""


def takes_trailers(head: RequestHead) -> bool:
    """Whether a caller takes trailers behind its response."""
    if b"te" not in head.connection_fields or head.http_1_0:
        return False
    return any(coding.lower() == b"trailers" for coding in members(head.connection_fields[b"te"]))


def request_trailers(trailers: HeaderList, request: Request) -> HeaderList:
    """Return those of a caller's that go on."""
    barred = request.barred_trailers
    if barred is None:
        return []
    return [
        field
        for field in _allowed(trailers)
        if fold(field[0]) not in barred and not any(holds(field[1], key) for key in request.hidden_keys)
    ]


def response_trailers(trailers: HeaderList) -> HeaderList:
    """Return those of an upstream's that go on to a caller who takes them."""
    return list(_allowed(trailers))


def last_chunk(trailers: HeaderList) -> bytes:
    """Write the end of a body in chunks."""
    return b"0\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % field for field in trailers) if trailers else LAST_CHUNK


def _allowed(trailers: HeaderList) -> Iterable[Header]:
    for name, value in trailers:
        if _is_allowed(fold(name)) and is_field_name(name) and UNSENDABLE.search(value) is None:
            yield name, value


def _is_allowed(folded: bytes) -> bool:
    return folded not in _FORBIDDEN and (folded in _DIGESTS or not folded.startswith(_FAMILIES))
