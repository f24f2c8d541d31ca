"""Several requests on one connection, and what is smuggled between them."""

from __future__ import annotations

from typing import Final

from tests.proxy.oddities.case import Case, Forwarded, ask, refused, served

_ONE, _TWO, _THREE = (ask(b"GET", b"/plain/%d" % number) for number in (1, 2, 3))
_LAST: Final = ask(b"GET", b"/plain/1", b"Connection: close")
_OLD: Final = ask(b"GET", b"/plain/1", version=b"HTTP/1.0")
_FORGED: Final = _TWO.replace(b"caller-key-good", b"wrong")
_LOST: Final = ask(b"GET", b"/nowhere")
_POST: Final = ask(b"POST", b"/plain/p", b"Content-Length: 2", body=b"hi")
_CHUNKED: Final = ask(b"POST", b"/plain/p", b"Transfer-Encoding: chunked", body=b"2\r\nhi\r\n0\r\n\r\n")
_POSTED: Final[Forwarded] = (b"POST", b"/plain/p", b"hi")


def _got(number: int) -> Forwarded:
    return (b"GET", b"/plain/%d" % number, b"")


_PREFIX: Final = b"GET /plain/smuggled HTTP/1.1\r\nX-Ignore: X"
_PREFIXED: Final[Forwarded] = (b"GET", b"/plain/smuggled", b"")
_LENGTH_THEN_CHUNKS: Final = ask(
    b"POST", b"/plain/p", b"Content-Length: 50", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + _PREFIX
)
_CHUNKS_THEN_LENGTH: Final = ask(
    b"POST",
    b"/plain/p",
    b"Transfer-Encoding: chunked",
    b"Content-Length: 4",
    body=b"2c\r\n" + _PREFIX + b"\r\n0\r\n\r\n",
)

CASES: Final[tuple[Case, ...]] = (
    served("three requests at once", _ONE + _TWO + _THREE, _got(1), _got(2), _got(3)),
    served("ten requests at once", _ONE * 10, *(_got(1),) * 10),
    served("a body between requests", _ONE + _POST + _TWO, _got(1), _POSTED, _got(2)),
    served("chunks between requests", _ONE + _CHUNKED + _TWO, _got(1), _POSTED, _got(2)),
    served("bodies in both framings", _POST + _CHUNKED + _POST, _POSTED, _POSTED, _POSTED),
    served("head and get", ask(b"HEAD", b"/plain/1") + _TWO, (b"HEAD", b"/plain/1", b""), _got(2)),
    served("empty line between requests", _ONE + b"\r\n" + _TWO, _got(1), _got(2)),
    served("two empty lines between requests", _ONE + b"\r\n\r\n" + _TWO, _got(1), _got(2)),
    refused("three empty lines between requests", _ONE + b"\r\n\r\n\r\n" + _TWO, 400, _got(1)),
    refused("line feed between requests", _ONE + b"\n" + _TWO, 400, _got(1)),
    refused("garbage behind a request", _ONE + b"garbage\r\n\r\n" + _TWO, 400, _got(1)),
    refused("nul behind a request", _ONE + b"\x00" + _TWO, 400, _got(1)),
    refused("request that is refused before one that is good", _ONE + ask(b"get", b"/plain/x") + _TWO, 400, _got(1)),
    refused("length and chunks between requests", _ONE + _LENGTH_THEN_CHUNKS + _TWO, 400, _got(1)),
    refused("length before chunks", _LENGTH_THEN_CHUNKS + _ONE, 400),
    refused("chunks before a length", _CHUNKS_THEN_LENGTH + _ONE, 400),
    # Before a request of the same caller a prefix makes one request of both: the second request line is a value.
    served("prefix behind chunks", _CHUNKED + _PREFIX + _ONE, _POSTED, _PREFIXED),
    served("prefix behind a body", _POST + _PREFIX + _ONE, _POSTED, _PREFIXED),
    served("request behind one that closes", _LAST + _TWO, _got(1), goes_on=False),
    served("request behind one of HTTP/1.0", _OLD + _TWO, _got(1), goes_on=False),
    Case(
        "refused key between good ones",
        _ONE + _FORGED + _THREE,
        (200, 401, 200),
        (_got(1), _got(3)),
    ),
    Case("unknown path between good ones", _ONE + _LOST + _THREE, (200, 404, 200), (_got(1), _got(3))),
    Case(
        "body of a refused key",
        _ONE + _POST.replace(b"caller-key-good", b"wrong") + _TWO,
        (200, 401, 200),
        (_got(1), _got(2)),
    ),
    served("same request again and again", _ONE * 4, *(_got(1),) * 4),
    served("same body again and again", _POST * 4, *(_POSTED,) * 4),
)
