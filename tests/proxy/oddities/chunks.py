"""Bodies in chunks, whole and broken."""

from __future__ import annotations

from typing import Final

from tests.proxy.oddities.case import Case, ask, refused, served, unfinished

_REST: Final = b"\r\n0\r\n\r\n"


def _post(body: bytes) -> bytes:
    return ask(b"POST", b"/plain/k", b"Transfer-Encoding: chunked", body=body)


def _sent(body: bytes) -> tuple[bytes, bytes, bytes]:
    return (b"POST", b"/plain/k", body)


_GOOD: Final = {
    "nothing": (b"0\r\n\r\n", b""),
    "one": (b"2\r\nab\r\n0\r\n\r\n", b"ab"),
    "two": (b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"ab"),
    "many": (b"1\r\na\r\n" * 50 + b"0\r\n\r\n", b"a" * 50),
    "lower-case size": (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "upper-case size": (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "size with zeros": (b"0002\r\nab\r\n0\r\n\r\n", b"ab"),
    "end with zeros": (b"2\r\nab\r\n000\r\n\r\n", b"ab"),
    "line ends inside": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "an end inside": (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "a trailer": (b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n", b"ab"),
    "trailers that frame": (b"2\r\nab\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"ab"),
    "a trailer with a key": (b"2\r\nab\r\n0\r\napi-key: other\r\n\r\n", b"ab"),
    "a trailer with a host": (b"2\r\nab\r\n0\r\nHost: other.example\r\n\r\n", b"ab"),
}
_BAD: Final = {
    "no size": b"\r\nab" + _REST,
    "letter beyond": b"g\r\nab" + _REST,
    "size with 0x": b"0x2\r\nab" + _REST,
    "size with plus": b"+2\r\nab" + _REST,
    "size with minus": b"-2\r\nab" + _REST,
    "size with underscore": b"0_2\r\nab" + _REST,
    "size behind a blank": b" 2\r\nab" + _REST,
    "size before a blank": b"2 \r\nab" + _REST,
    "size before a tab": b"2\t\r\nab" + _REST,
    "size before a nul": b"2\x00\r\nab" + _REST,
    "size before a second return": b"2\r\r\nab" + _REST,
    "size of sixteen digits": b"0000000000000002\r\nab" + _REST,
    "size beyond 64 bits": b"10000000000000002\r\nab" + _REST,
    "size in quotes": b'"2"\r\nab' + _REST,
    "extension": b"2;a=b\r\nab" + _REST,
    "extension without a name": b"2;\r\nab" + _REST,
    "extension with a line end": b"2;a=\nb\r\nab" + _REST,
    "extension at the end": b"2\r\nab\r\n0;a=b\r\n\r\n",
    "data longer than its size": b"2\r\nabc" + _REST,
    "data shorter than its size": b"5\r\nab" + _REST,
    "no line end behind data": b"2\r\nab0\r\n\r\n",
    "line feed alone behind data": b"2\r\nab\n0\r\n\r\n",
    "return alone behind data": b"2\r\nab\r0\r\n\r\n",
    "size that ends with a line feed": b"2\nab\n0\n\n" + b"x" * 20,
    "trailer without a colon": b"2\r\nab\r\n0\r\nnothing\r\n\r\n",
    "trailer without a name": b"2\r\nab\r\n0\r\n: x\r\n\r\n",
    "trailer with a blank in its name": b"2\r\nab\r\n0\r\nx y: z\r\n\r\n",
    "trailer that is folded": b"2\r\nab\r\n0\r\nx: y\r\n z\r\n\r\n",
    "trailer with a return": b"2\r\nab\r\n0\r\nx: y\rz\r\n\r\n",
    "trailer too long": b"2\r\nab\r\n0\r\nx: " + b"y" * 9000 + b"\r\n\r\n",
}

CASES: Final[tuple[Case, ...]] = (
    *(served(f"chunks: {name}", _post(body), _sent(whole)) for name, (body, whole) in _GOOD.items()),
    *(refused(f"chunks: {name}", _post(body), 400) for name, body in _BAD.items()),
    unfinished("chunks without an end", _post(b"2\r\nab\r\n")),
    unfinished("chunks that end within a size", _post(b"2\r\nab\r\n1")),
    unfinished("chunks that end within data", _post(b"5\r\nab")),
    unfinished("chunks that end within trailers", _post(b"2\r\nab\r\n0\r\nx: y\r\n")),
)
