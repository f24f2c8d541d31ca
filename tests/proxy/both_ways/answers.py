"""Responses by grammar: all framings, early and late ones, cut anywhere, and what no upstream should send."""

from __future__ import annotations

import gzip
from random import Random
from typing import Final

from tests.proxy.both_ways.drafts import chunked, cut, mutated
from tests.proxy.both_ways.events import Response

SWITCHED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
_FIELDS: Final = (
    b"content-type: application/json\r\n",
    b"Content-Type: text/event-stream\r\n",
    b"server: origin\r\n",
    b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    b"set-cookie: a=b\r\nSet-Cookie: c=d\r\n",
    b"x-request-id: theirs\r\n",
    b"cache-control: no-store\r\n",
    b"connection: close\r\n",
    b"Connection: keep-alive, x-hop\r\nx-hop: 1\r\n",
    b"Keep-Alive: timeout=5\r\n",
    b"vary:  Origin \r\n",
    b"x-latin: caf\xe9\r\n",
    b"upgrade: h2\r\n",
    b"proxy-authenticate: Basic\r\n",
    b"www-authenticate: Bearer\r\n",
    b"wardgate-error-source: upstream\r\n",
    b"trailer: x-sum\r\n",
    b"x-long: " + b"l" * 700 + b"\r\n",
    b"a:b\r\n" * 105,
)
_STATUSES: Final = (200, 200, 200, 200, 201, 206, 400, 401, 404, 429, 500, 503, 299, 599)
_ODD: Final = (
    b"garbage\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe",
    b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabXX",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
    b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nraw",
    SWITCHED + b"raw bytes",
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nbad header: x\r\ncontent-length: 0\r\n\r\n",
    b"",
)


_EARLY: Final = (*(b"",) * 4, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nlink: a\r\n\r\n")
_LAST_CHUNKS: Final = (b"0\r\n\r\n", b"0\r\nx-sum: 1\r\n\r\n")


def answer(choices: Random, mark: bytes, *, plain: bool) -> Response:
    """Return an upstream's answer to the request with this mark; ``plain``: a good one that tells its end."""
    if plain:
        head, body = _beginning(choices), _body(choices, mark)
        data = head + (_in_chunks(choices, body) if choices.random() < 0.3 else _sized(body))
        return Response(tuple(cut(data, choices)), held=choices.random() < 0.4)
    if choices.random() < 0.1:
        data, end = choices.choice(_ODD), choices.choice(("keep", "close", "reset"))
    else:
        data, end = _regular(choices, mark)
    if choices.random() < 0.05:
        data = mutated(data, choices)
    if choices.random() < 0.03:
        data += choices.choice((b"\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"x"))
    return Response(tuple(cut(data, choices)), end=end, at_head=choices.random() < 0.1, held=choices.random() < 0.15)


def _beginning(choices: Random) -> bytes:
    return b"HTTP/1.1 %d Phrase\r\n" % choices.choice(_STATUSES) + _some_fields(choices)


def _some_fields(choices: Random) -> bytes:
    return b"".join(dict.fromkeys(choices.choice(_FIELDS) for _ in range(choices.randrange(4))))


def _body(choices: Random, mark: bytes) -> bytes:
    return choices.choice((b"", b"ok", mark, mark * 40, b"z" * 3000))


def _sized(body: bytes) -> bytes:
    return b"content-length: %d\r\n\r\n" % len(body) + body


def _in_chunks(choices: Random, body: bytes) -> bytes:
    chunks = chunked(body, choices.choice((1, 7, 1000)))
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + choices.choice(_LAST_CHUNKS)


def _regular(choices: Random, mark: bytes) -> tuple[bytes, str]:
    early, fields, body = choices.choice(_EARLY), _some_fields(choices), _body(choices, mark)
    head = early + _beginning(choices)
    kind = choices.randrange(8)
    if kind < 3:
        return head + _sized(body), "keep"
    if kind == 3:
        return head + _in_chunks(choices, body), "keep"
    if kind == 4:
        return head + b"\r\n" + body, choices.choice(("close", "close", "reset"))
    if kind == 5:
        return early + b"HTTP/1.1 204 No Content\r\n" + fields + b"\r\n", "keep"
    if kind == 6:
        return early + b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n" + fields + b"\r\n", "keep"
    packed = gzip.compress(body, mtime=0)
    coded = b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    return head + coded + packed, choices.choice(("keep", "close"))
