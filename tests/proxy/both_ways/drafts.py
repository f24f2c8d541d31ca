"""Requests by grammar: whole, odd and broken ones, of whatever a policy, a matcher or the framing cares about.

A ``Draft`` is a request that can be sent again, with little or nothing changed: only what is sent twice meets what a
gateway remembers. ``Choices`` is a ``random.Random``, or one that Hypothesis shrinks.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Final

from tests.proxy.both_ways.keys import (
    BARE,
    BOUND,
    DIGEST,
    EXPIRING,
    GOOD,
    HMACED,
    KEYS,
    PERCENT,
    SECOND,
    SHARED,
    TENANTS,
    WRONG,
)
from tests.proxy.both_ways.plans import PASSWORD, USER
from tests.proxy.both_ways.worlds import PATHS

METHODS: Final = (b"GET", b"GET", b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH")
ODD_METHODS: Final = (b"get", b"TRACE", b"CONNECT", b"PROPFIND", b"M-SEARCH", b"G\xc3", b"", b"GET/")
SUFFIXES: Final = (
    b"",
    b"",
    b"",
    b"/a",
    b"/a/b.json",
    b"/v1/chat/completions",
    b"/%61",
    b"//x",
    b"/../plain",
    b"/a%2fb",
    b"/;v=1",
    b"/%",
    b"/a/./b",
    b"?",
    b"?q=1",
    b"/x?model=abc&q=%20",
    b"/x?model=zzz",
    b"/?api-key=" + GOOD,
    b"/?api_key=" + SECOND + b"&x=1",
    b"/?k=" + PERCENT,
    b"/" + GOOD,
    b"#f",
)
TARGETS: Final = (
    b"*",
    b"/",
    b"http://gw.example/plain",
    b"http://other.example/open?q=1",
    b"plain",
    b"//plain",
    b"/\xff",
)
HOSTS: Final = (*(b"gw.example",) * 8, b"GW.Example:8081", b"other.example", b"a.wild.example", b"[::1]:80")
ODD_HOSTS: Final = (b"", b"a b", b"a,b", b"a/b", b"user@h", b"h:port", b"\xff")
BASIC: Final = b64encode(f"{USER}:{PASSWORD}".encode())
CREDENTIALS: Final = (
    (b"api-key", GOOD),
    (b"Api-Key", SECOND),
    (b"API-KEY", EXPIRING),
    (b"api_key", GOOD),
    (b"api-key", BOUND),
    (b"api-key", HMACED),
    (b"api-key", DIGEST),
    (b"api-key", TENANTS),
    (b"api-key", SHARED),
    (b"api-key", PERCENT),
    (b"api-key", BARE),
    (b"api-key", b"Bearer " + GOOD),
    (b"authorization", b"Bearer " + GOOD),
    (b"Authorization", GOOD),
    (b"authorization", b"Basic " + BASIC),
    (b"authorization", b"Basic YW5uOndyb25n"),
    (b"x-second", SECOND),
    (b"X-Third", GOOD),
    (b"x-api-key", GOOD),
    (b"x-api-key", b"forged-token"),
    (b"x_api_key", b"forged-token"),
    (b"proxy-authorization", b"Basic " + BASIC),
    (b"cookie", b"a=b; session=" + GOOD),
    (b"Cookie", b"key=" + SECOND + b"; x=1"),
)
FIELDS: Final = (
    (b"user-agent", b"curl/8.5.0"),
    (b"User-Agent", b"OpenAI/Python 1.99.0"),
    (b"accept", b"*/*"),
    (b"Accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"Accept-Encoding", b"identity"),
    (b"accept-language", b"en"),
    (b"content-type", b"application/json"),
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"content-encoding", b"gzip"),
    (b"connection", b"keep-alive"),
    (b"Connection", b"close"),
    (b"connection", b"x-scope, x-late"),
    (b"connection", b"api-key"),
    (b"Connection", b"Upgrade"),
    (b"keep-alive", b"timeout=5"),
    (b"Keep-Alive", b"300"),
    (b"proxy-connection", b"keep-alive"),
    (b"te", b"trailers"),
    (b"trailer", b"x-sum"),
    (b"upgrade", b"websocket"),
    (b"Upgrade", b"h2c"),
    (b"http2-settings", b"AAMAAABkAAQAAP__"),
    (b"expect", b"100-continue"),
    (b"Expect", b"200-ok"),
    (b"max-forwards", b"0"),
    (b"Max-Forwards", b"10"),
    (b"cdn-loop", b"other; a=b"),
    (b"via", b"1.1 other"),
    (b"forwarded", b"for=192.0.2.1"),
    (b"x-forwarded-for", b"192.0.2.1, 10.0.0.1"),
    (b"X-Forwarded-Proto", b"https"),
    (b"x-forwarded-host", b"evil.example"),
    (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    (b"tracestate", b"a=b"),
    (b"x-request-id", b"given-id"),
    (b"X-Request-ID", b"\xe9"),
    (b"x_request_id", b"other-id"),
    (b"x-user-id", b"spoofed"),
    (b"X_User_Id", b"spoofed"),
    (b"x-team", b"red"),
    (b"X_Team", b"blue"),
    (b"openai-organization", b"spoofed"),
    (b"x-scope", b"inner"),
    (b"X-Scope", b"outer"),
    (b"x_scope", b"inner"),
    (b"x-late", b"1"),
    (b"x-secret", b"%2e%2e"),
    (b"x-told", b"told"),
    (b"if-none-match", b'"abc"'),
    (b"range", b"bytes=0-1"),
    (b"x-stainless-lang", b"python"),
    (b"x-empty", b""),
    (b"x-latin", b"caf\xe9"),
    (b"transfer_encoding", b"chunked"),
    (b"content_length", b"5"),
    (b"host_", b"x"),
)
_WEBSOCKET: Final = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
ODD_FIELDS: Final = (
    b"X-Bare: a\rb",
    b"X-Nul: a\x00b",
    b" folded: x",
    b"x-a: b\r\n folded",
    b"blank : x",
    b": nameless",
    b"colonless",
    b"x(y): z",
    b"Host: second.example",
    b"Content-Length: 3",
    b"Content-Length: 3, 3",
    b"Content-Length: +3",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:\x0bchunked",
    b"x-long: " + b"l" * 800,
    b"api-key: " + GOOD,
    _WEBSOCKET,
    b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https",
)
BODIES: Final = (
    b"",
    b"hi",
    b'{"model": "abc"}',
    b"x" * 700,
    b"y" * 2000,
    b"GET /open HTTP/1.1\r\nHost: gw.example\r\n\r\n",
    GOOD,
)
_MARK_PLACES: Final = (b"x-mark", b"X-Mark", b"x-request-id", b"user-agent", b"cookie", b"traceparent", b"referer")


@dataclass(frozen=True, slots=True)
class Draft:
    """``body`` None: the head says nothing of one. ``chunks`` above 0: it is sent in chunks of so many bytes.

    ``mark_in``: the header that carries the mark; empty: none does, and the same bytes are sent each time.
    """

    method: bytes
    target: bytes
    host: bytes
    fields: tuple[tuple[bytes, bytes], ...] = ()
    odd: tuple[bytes, ...] = ()
    body: bytes | None = None
    chunks: int = 0
    wrong_by: int = 0
    mark_in: bytes = b"x-mark"
    version: bytes = b"HTTP/1.1"
    host_name: bytes = b"Host"

    def written(self, mark: bytes) -> bytes:
        """Return its bytes, marked."""
        lines = [b"%b %b %b" % (self.method, self.target, self.version), b"%b: %b" % (self.host_name, self.host)]
        lines += [b"%b: %b" % field for field in self.fields]
        lines += self.odd
        if self.mark_in:
            lines.append(b"%b: %b" % (self.mark_in, mark))
        body = self.body
        if body is None:
            return b"\r\n".join(lines) + b"\r\n\r\n"
        if self.chunks:
            lines.append(b"Transfer-Encoding: chunked")
            last = b"g\r\n" if self.wrong_by else b"0\r\n\r\n" if len(body) % 5 else b"0\r\nx-trailer: t\r\n\r\n"
            body = chunked(body, self.chunks) + last
        else:
            lines.append(b"Content-Length: %d" % max(0, len(body) + self.wrong_by))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    """Return a body in chunks of a size, some with an extension, without the last one."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(
        b"%x%b\r\n%b\r\n" % (len(piece), b";a=b" if len(piece) % 7 == 0 else b"", piece) for piece in pieces
    )


def plain(choices: Random, paths: Sequence[str]) -> Draft:
    """A request as programs send it, on one of the routes."""
    path = b"/" + choices.choice(paths).encode()
    credential = choices.choice(CREDENTIALS[:3] if choices.random() < 0.5 else CREDENTIALS)
    fields = [choices.choice(FIELDS[:9]) for _ in range(choices.randrange(4))]
    if choices.random() < 0.8:
        fields.insert(choices.randrange(len(fields) + 1), credential)
    method = choices.choice(METHODS)
    body = choices.choice(BODIES[:3]) if method in (b"POST", b"PUT", b"PATCH") else None
    suffix = choices.choice(SUFFIXES[:6])
    marked = choices.choice((b"x-mark", b"x-mark", b"", choices.choice(_MARK_PLACES)))
    return Draft(method, path + suffix, choices.choice(HOSTS), tuple(fields), body=body, mark_in=marked)


def simple(choices: Random) -> Draft:
    """A request of the plainest kind, such as the fast way is for."""
    path = choices.choice(
        (
            b"/plain",
            b"/plain/v1/models",
            b"/open",
            b"/plain",
            b"/bearer",
            b"/prefixed/a",
            b"/host",
            b"/post",
            b"/auto",
            b"/twin",
        )
    )
    key = (
        (b"Authorization", b"Bearer " + GOOD)
        if path == b"/bearer"
        else (b"api-key", choices.choice((GOOD, GOOD, SECOND, EXPIRING, WRONG)))
    )
    fields = (choices.choice(FIELDS[:2]), choices.choice(FIELDS[2:5]), key)
    if choices.random() < 0.5:
        return Draft(b"GET", path, b"gw.example", fields, mark_in=choices.choice((b"x-mark", b"")))
    return Draft(b"POST", path, b"gw.example", (*fields, FIELDS[7]), body=choices.choice(BODIES[1:4]))


def changed(draft: Draft, choices: Random) -> Draft:
    """The same request, one thing of it changed."""
    return choices.choice(_CHANGES)(draft, choices)


def _other_credential(draft: Draft, choices: Random) -> Draft:
    return replace(draft, fields=_with(draft.fields, choices.choice(CREDENTIALS), choices))


def _other_field(draft: Draft, choices: Random) -> Draft:
    return replace(draft, fields=_with(draft.fields, choices.choice(FIELDS), choices))


def _less(draft: Draft, choices: Random) -> Draft:
    gone = choices.randrange(len(draft.fields) + 1)
    return replace(draft, fields=draft.fields[:gone] + draft.fields[gone + 1 :])


def _elsewhere(draft: Draft, choices: Random) -> Draft:
    if choices.random() < 0.5:
        return replace(draft, host=choices.choice(HOSTS), host_name=choices.choice((b"Host", b"host", b"HOST")))
    return replace(draft, target=_target(choices))


def _otherwise(draft: Draft, choices: Random) -> Draft:
    if choices.random() < 0.5:
        return replace(draft, method=choices.choice(METHODS))
    return replace(draft, mark_in=choices.choice(_MARK_PLACES), version=choices.choice((b"HTTP/1.1", b"HTTP/1.0")))


def _other_body(draft: Draft, choices: Random) -> Draft:
    return replace(draft, body=choices.choice((None, *BODIES)), chunks=choices.choice((0, 0, 1, 3, 500)))


def _with(
    fields: tuple[tuple[bytes, bytes], ...], added: tuple[bytes, bytes], choices: Random
) -> tuple[tuple[bytes, bytes], ...]:
    """Put a field in, in the place of one of that name or beside it."""
    name, value = added
    if choices.random() < 0.2:
        name = choices.choice((name.upper(), name.title(), name.replace(b"-", b"_"), name.replace(b"_", b"-")))
    if choices.random() < 0.15:
        value = choices.choice((b" " + value, value + b"\t ", value[:-1], value + choices.choice(KEYS)))
    kept = fields if choices.random() < 0.3 else tuple(one for one in fields if one[0].lower() != name.lower())
    place = choices.randrange(len(kept) + 1)
    return (*kept[:place], (name, value), *kept[place:])


def _target(choices: Random) -> bytes:
    if choices.random() < 0.15:
        return choices.choice(TARGETS)
    return b"/" + choices.choice(PATHS).encode() + choices.choice(SUFFIXES)


def _broken(draft: Draft, choices: Random) -> Draft:
    what = choices.randrange(6)
    if what == 0:
        return replace(draft, method=choices.choice(ODD_METHODS))
    if what == 1:
        return replace(draft, host=choices.choice(ODD_HOSTS))
    if what == 2:
        return replace(draft, version=choices.choice((b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/1.1 ", b"")))
    if what == 3 and draft.body is not None:
        return replace(draft, wrong_by=choices.choice((-2, -1, 1, 5)))
    return replace(draft, odd=(choices.choice(ODD_FIELDS),))


_CHANGES: Final = (
    _other_credential,
    _other_credential,
    _other_credential,
    _other_field,
    _other_field,
    _other_field,
    _less,
    _elsewhere,
    _elsewhere,
    _otherwise,
    _other_body,
    _broken,
)


def cut(data: bytes, choices: Random) -> list[bytes]:
    """Cut bytes anywhere, into one piece as often as into several."""
    if not data:
        return []
    if choices.random() < 0.5:
        return [data]
    count = choices.choice((1, 1, 2, 3, 8))
    edges = sorted({0, len(data), *(choices.randrange(len(data)) for _ in range(count))})
    return [data[start:end] for start, end in pairwise(edges)]


def mutated(data: bytes, choices: Random) -> bytes:
    """Change a few bytes anywhere, or the order of two lines."""
    if choices.random() < 0.3:
        return _transposed(data, choices)
    at = choices.randrange(len(data) + 1)
    put = choices.choice((b"\r", b"\n", b"\r\n", b" ", b":", b"0", b"\x00", b"\xff", b"-", b""))
    return data[:at] + put + data[at + choices.randrange(3) :]


def _transposed(data: bytes, choices: Random) -> bytes:
    """Have two neighbours among the lines change places."""
    lines = data.split(b"\r\n")
    at = 0 if choices.random() < 0.4 else choices.randrange(len(lines))
    return b"\r\n".join((*lines[:at], *lines[at : at + 2][::-1], *lines[at + 2 :]))
