"""The head of a caller's request, read strictly: what two readers could understand differently is refused.

The rules, all of RFC 9112 and RFC 9110 read in their narrowest sense, because a request that this gateway and a
provider delimit differently is a request smuggled past the gateway's authentication:

Rule 1: lines end with CR LF. A bare CR or LF, a folded line, a blank before a colon, an empty name: 400.
Rule 2: the version is HTTP/1.1 or HTTP/1.0 with single blanks around the target. Another version: 505.
Rule 3: there is exactly one Host, in HTTP/1.0 too, and it is a host with an optional port: else 400.
Rule 4: at most one Content-Length, digits only; never together with Transfer-Encoding: else 400.
Rule 5: Transfer-Encoding is ``chunked`` and nothing else, and only in HTTP/1.1: else 501 or 400.
Rule 6: CONNECT has no meaning here, and TRACE would echo an injected token to the caller: 405. A method is written in
        upper case (``methods``): else 400.
Rule 7: Expect is ``100-continue``: else 417.
Rule 8: what marks the proxies that a request has passed (``loops``) is kept apart from the headers.
Rule 9: hop-by-hop headers, those that Connection names included, end here, and so does whatever a server that turns
        names into variables would take for one of them or for a framing header: ``transfer_encoding``.
Rule 10: headers that say where a request comes from (``field_names.ORIGIN``) end here as well, in every spelling.

llhttp accepts HTTP/0.9, two blanks in the request line, a transfer coding on HTTP/1.0 and chunk extensions, so callers'
requests are read here; responses, whose senders the installation chose, are read by llhttp (docs/decisions/0001).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wardgate.field_names import TAKEN_OFF
from wardgate.proxy.core.fields.folded import end_to_end
from wardgate.proxy.core.grammar import FIELD_LINE, HOST, METHOD, ORIGIN, PROXY_WRITTEN
from wardgate.proxy.core.http1 import loops
from wardgate.proxy.core.http1.methods import COMMON, method_fault
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason

_REQUEST_LINE = re.compile(rb"(" + METHOD + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n")
_FIELDS = re.compile(rb"(?:" + FIELD_LINE + rb"\r\n)*+\r\n")
_DIGITS = re.compile(rb"[0-9]{1,18}")

_MISSPELT = frozenset({b"proxy_authenticate", b"proxy_authentication_info", b"proxy_authorization"})
"""Headers between proxies, as no client or proxy writes them."""
SPECIAL = PROXY_WRITTEN | ORIGIN | _MISSPELT | {b"host"} | {name.encode() for name in TAKEN_OFF}
"""Fields that do not go on as they came."""


@dataclass(slots=True)
class RequestHead:
    """A head that was read.

    ``headers`` are the end-to-end ones, names lower case, without Host. ``content_length`` None: no length given.
    """

    method: bytes
    target: bytes
    host: bytes
    headers: HeaderList
    content_length: int | None
    chunked: bool
    keep_alive: bool
    expect_continue: bool
    http_1_0: bool
    has_body: bool
    """Whether a byte of a body can follow."""
    passed: tuple[bytes, ...]
    """Values of ``CDN-Loop``."""
    connection_fields: Mapping[bytes, Sequence[bytes]]
    """Values of what was taken off the headers, by name as written."""


def parse_request_head(block: bytes, *, max_headers: int) -> RequestHead | ReplyReason:
    """Read a head, given whole: from the request line to the empty line, both included; or say why not."""
    line = _REQUEST_LINE.match(block)
    if line is None:
        return ReplyReason.BAD_REQUEST_LINE
    method, target, major, minor = line.groups()
    if major != b"1" or minor not in b"01":
        return ReplyReason.HTTP_VERSION
    fault = None if method in COMMON else method_fault(method)
    if fault is not None:
        return fault
    if _FIELDS.fullmatch(block, line.end()) is None:
        return ReplyReason.BAD_HEADER
    fields = _take_apart(block[line.end() : -4])
    if len(fields) > max_headers:
        return ReplyReason.TOO_MANY_HEADERS
    return _interpret(method, target, fields=fields, http_1_0=minor == b"0")


def _take_apart(lines: bytes) -> HeaderList:
    """Take apart what ``_FIELDS`` has let pass. Blanks before a value are none of it, nor are those behind it."""
    fields: HeaderList = []
    for line in lines.split(b"\r\n"):
        name, _, value = line.partition(b":")
        fields.append((name.lower(), value.strip(b" \t")))
    return fields


def _interpret(method: bytes, target: bytes, *, fields: HeaderList, http_1_0: bool) -> RequestHead | ReplyReason:
    headers, special, options = end_to_end(fields, special=SPECIAL)
    host = _host(special.get(b"host", ()))
    if isinstance(host, ReplyReason):
        return host
    framing = _framing(special, http_1_0=http_1_0)
    if isinstance(framing, ReplyReason):
        return framing
    length, chunked = framing
    expect = special.get(b"expect", ())
    if expect and any(value.lower() != b"100-continue" for value in expect):
        return ReplyReason.EXPECTATION_FAILED
    return RequestHead(
        method=method,
        target=target,
        host=host,
        headers=headers,
        content_length=length,
        chunked=chunked,
        keep_alive=not http_1_0 and b"close" not in options,
        expect_continue=bool(expect) and not http_1_0,
        http_1_0=http_1_0,
        has_body=chunked or bool(length),
        passed=tuple(special.get(loops.FIELD, ())),
        connection_fields=special,
    )


def _host(values: list[bytes] | tuple[()]) -> bytes | ReplyReason:
    if len(values) != 1 or HOST.fullmatch(values[0]) is None:
        return ReplyReason.BAD_HOST
    return values[0]


def _framing(special: dict[bytes, list[bytes]], *, http_1_0: bool) -> tuple[int | None, bool] | ReplyReason:
    lengths = special.get(b"content-length", ())
    codings = special.get(b"transfer-encoding", ())
    if codings:
        if lengths or http_1_0 or len(codings) != 1:
            return ReplyReason.BAD_FRAMING
        if codings[0].lower() != b"chunked":
            return ReplyReason.TRANSFER_CODING
        return None, True
    if not lengths:
        return None, False
    if len(lengths) != 1 or _DIGITS.fullmatch(lengths[0]) is None:
        return ReplyReason.BAD_FRAMING
    return int(lengths[0]), False
