"""Transfer codings in every disguise, beside a length and without."""

from __future__ import annotations

from typing import Final

from tests.proxy.oddities.case import Case, ask, refused, served

_CODED: Final = b"Transfer-Encoding: chunked"
_CHUNKS: Final = b"5\r\nhello\r\n0\r\n\r\n"
_AS_SENT: Final = (b"POST", b"/plain/c", b"hello")
_SMUGGLED: Final = ask(b"GET", b"/plain/second")
_SECOND: Final = (b"GET", b"/plain/second", b"")


def _post(*lines: bytes, body: bytes = _CHUNKS, version: bytes = b"HTTP/1.1") -> bytes:
    return ask(b"POST", b"/plain/c", *lines, body=body, version=version)


_GOOD: Final = {
    "plain": b"Transfer-Encoding: chunked",
    "upper-case": b"TRANSFER-ENCODING: CHUNKED",
    "mixed-case": b"transfer-Encoding: ChUnKeD",
    "no-blank": b"Transfer-Encoding:chunked",
    "tab": b"Transfer-Encoding:\tchunked",
    "blanks-around": b"Transfer-Encoding:  \t chunked \t",
}
_OTHER: Final = {
    "gzip": b"Transfer-Encoding: gzip",
    "gzip-then-chunked": b"Transfer-Encoding: gzip, chunked",
    "chunked-then-gzip": b"Transfer-Encoding: chunked, gzip",
    "chunked-twice": b"Transfer-Encoding: chunked, chunked",
    "identity": b"Transfer-Encoding: identity",
    "chunked-then-identity": b"Transfer-Encoding: chunked, identity",
    "prefixed": b"Transfer-Encoding: xchunked",
    "suffixed": b"Transfer-Encoding: chunkedx",
    "parameter": b"Transfer-Encoding: chunked;q=1",
    "quoted": b'Transfer-Encoding: "chunked"',
    "trailing-comma": b"Transfer-Encoding: chunked,",
    "leading-comma": b"Transfer-Encoding: ,chunked",
    "nothing": b"Transfer-Encoding:",
    "latin-blank": b"Transfer-Encoding: \xa0chunked",
    "kelvin-sign": b"Transfer-Encoding: chun\xe2\x84\xaaed",
    "dotless": b"Transfer-Encoding: chunke\xc4\x91",
}
_MALFORMED: Final = {
    "blank-before-colon": b"Transfer-Encoding : chunked",
    "tab-before-colon": b"Transfer-Encoding\t: chunked",
    "led-by-blank": b" Transfer-Encoding: chunked",
    "led-by-tab": b"\tTransfer-Encoding: chunked",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded-behind": b"Transfer-Encoding: chunked\r\n , gzip",
    "vertical-tab": b"Transfer-Encoding:\x0bchunked",
    "form-feed": b"Transfer-Encoding: chunked\x0c",
    "nul": b"Transfer-Encoding: chunked\x00",
    "delete": b"Transfer-Encoding: chunked\x7f",
    "bare-cr": b"X: y\rTransfer-Encoding: chunked",
    "bare-lf": b"X: y\nTransfer-Encoding: chunked",
    "lf-behind-colon": b"Transfer-Encoding:\nchunked",
    "cr-in-name": b"Transfer\r-Encoding: chunked",
    "name-in-latin": b"Transfer-Encoding\xa0: chunked",
    "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "twice-the-second-empty": b"Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    "twice-the-second-odd": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    "twice-the-first-odd": b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
}
_LENGTH: Final = b"Content-Length: %d" % len(_CHUNKS)

CASES: Final[tuple[Case, ...]] = (
    *(served(f"coding {name}", _post(line), _AS_SENT) for name, line in _GOOD.items()),
    *(refused(f"coding {name}", _post(line), 501) for name, line in _OTHER.items()),
    *(refused(f"coding {name}", _post(line), 400) for name, line in _MALFORMED.items()),
    *(refused(f"coding {name} behind a length", _post(_LENGTH, line), 400) for name, line in (_GOOD | _OTHER).items()),
    *(refused(f"coding {name} before a length", _post(line, _LENGTH), 400) for name, line in _GOOD.items()),
    refused("coding in HTTP/1.0", _post(b"Transfer-Encoding: chunked", version=b"HTTP/1.0"), 400),
    served("coding that connection names", _post(_CODED, b"Connection: transfer-encoding"), _AS_SENT),
    served(
        "coding spelt with an underscore is none",
        _post(b"Transfer_Encoding: chunked", body=_SMUGGLED),
        (b"POST", b"/plain/c", b""),
        _SECOND,
    ),
    served(
        "coding spelt with an underscore beside a length",
        _post(b"Transfer_Encoding: chunked", _LENGTH),
        (b"POST", b"/plain/c", _CHUNKS),
    ),
    served(
        "chunks within a body with a length",
        _post(b"X-Transfer-Encoding: chunked", _LENGTH, body=_CHUNKS + _SMUGGLED),
        (b"POST", b"/plain/c", _CHUNKS),
        _SECOND,
    ),
    served(
        "chunks on get",
        ask(b"GET", b"/plain/c", _CODED, body=_CHUNKS),
        (b"GET", b"/plain/c", b"hello"),
    ),
    served("request behind chunks", _post(_CODED, body=_CHUNKS + _SMUGGLED), _AS_SENT, _SECOND),
)
