"""How a message is delimited on the wire: the last step before bytes are written.

Headers that come here are end-to-end ones; whatever a template put into a framing or hop-by-hop header is dropped, so
that a policy cannot desynchronise a connection.
"""

from __future__ import annotations

from http import HTTPStatus

from wardgate.proxy.core.grammar import PROXY_WRITTEN
from wardgate.proxy.core.messages import Header, HeaderList

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s" % (status, status.phrase.encode()) for status in HTTPStatus}
_BODILESS = frozenset({204, 304})


def is_bodiless(*, status: int, head_request: bool) -> bool:
    """Whether a response has no body whatever its headers say (RFC 9112, 6.3)."""
    return head_request or status in _BODILESS or 100 <= status < 200


def write_request_head(
    *, method: bytes, target: bytes, headers: HeaderList, length: int | None, chunked: bool
) -> bytes:
    """Serialise a request's head for an upstream; Host stands in ``headers``."""
    return _head(b"%b %b HTTP/1.1" % (method, target), headers, length=length, chunked=chunked, close=False)


def write_response_head(
    *, status: int, headers: HeaderList | tuple[Header, ...], length: int | None, chunked: bool, close: bool
) -> bytes:
    """Serialise a response's head for a caller. ``length`` None and not ``chunked``: no framing header at all."""
    start = _STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status
    return _head(start, headers, length=length, chunked=chunked, close=close)


def _head(
    start: bytes, headers: HeaderList | tuple[Header, ...], *, length: int | None, chunked: bool, close: bool
) -> bytes:
    lines = [start]
    lines += [b": ".join(field) for field in headers if field[0] not in PROXY_WRITTEN]
    if chunked:
        lines.append(b"transfer-encoding: chunked")
    elif length is not None:
        lines.append(b"content-length: %d" % length)
    if close:
        lines.append(b"connection: close")
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def chunk(data: bytes) -> bytes:
    """One chunk; never call it with nothing, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
