"""How a message that goes out is delimited: decided once, from its head, in the last step before bytes are written.

Framing headers of an upstream or a template have no say in it. Headers that come here are end-to-end ones;
whatever a template put into a framing or hop-by-hop header is dropped, so that a policy cannot desynchronise a
connection.
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import Final

from wardgate.proxy.core.grammar import PROXY_WRITTEN
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.messages import Header, HeaderList, Outgoing

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s" % (status, status.phrase.encode()) for status in HTTPStatus}
_BODILESS = frozenset({204, 304})
_SENDS_LENGTH = frozenset({b"POST", b"PUT", b"PATCH"})
"""Methods that give content a meaning, so that a request without any says so (RFC 9110, 8.6)."""


class Framing(Enum):
    """How a response tells its end to a caller (RFC 9112, 6.3)."""

    NO_BODY = "its head is its end"
    LENGTH = "Content-Length"
    CHUNKED = "the last chunk"
    UNTIL_CLOSE = "the end of the connection"

    # By identity: the hash of ``Enum`` is a function in Python.
    __hash__ = object.__hash__


# On Python 3.11 a member costs five times as much by its class as by a name of its own.
NO_BODY: Final = Framing.NO_BODY
LENGTH: Final = Framing.LENGTH
CHUNKED: Final = Framing.CHUNKED
UNTIL_CLOSE: Final = Framing.UNTIL_CLOSE


def is_bodiless(*, status: int, head_request: bool) -> bool:
    """Whether a response has no body whatever its headers say (RFC 9112, 6.3)."""
    return head_request or status in _BODILESS or 100 <= status < 200


def response_framing(
    status: int, *, length: int | None, head_request: bool, http_1_0: bool
) -> tuple[Framing, int | None]:
    """Decide how a response is delimited, and which Content-Length it carries; ``length`` None: not known beforehand.

    The answer to HEAD and 304 tell the length that the answer to GET would have (RFC 9110, 8.6); 204 tells none. An
    HTTP/1.0 caller reads no chunks (RFC 9112, 7.1).
    """
    if is_bodiless(status=status, head_request=head_request):
        return NO_BODY, length if head_request or status == 304 else None
    if length is not None:
        return LENGTH, length
    return UNTIL_CLOSE if http_1_0 else CHUNKED, None


def request_length(outgoing: Outgoing, head: RequestHead) -> int | None:
    """Content-Length of a request to an upstream; None: it has no body, or chunks. ``head``: as the caller sent it."""
    if outgoing.body is not None:
        length = len(outgoing.body) or None
    elif head.chunked:
        return None
    else:
        length = head.content_length
    return 0 if length is None and outgoing.method in _SENDS_LENGTH else length


def write_request_head(
    *, method: bytes, target: bytes, headers: HeaderList, length: int | None, chunked: bool
) -> bytes:
    """Serialise a request's head for an upstream; Host stands in ``headers``."""
    return _head(b"%b %b HTTP/1.1" % (method, target), headers, length=length, chunked=chunked, close=False)


def write_response_head(
    *, status: int, headers: HeaderList | tuple[Header, ...], length: int | None, chunked: bool, close: bool
) -> bytes:
    """Serialise a response's head for a caller. ``length`` None and not ``chunked``: no framing header at all."""
    return _head(status_line(status), headers, length=length, chunked=chunked, close=close)


def status_line(status: int) -> bytes:
    """Write a status line, without its end; the phrase is the one that the status is registered with, or none."""
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status


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
