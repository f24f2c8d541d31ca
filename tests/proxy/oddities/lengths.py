"""Bodies with a length, and lengths that are none."""

from __future__ import annotations

from typing import Final

from tests.proxy.oddities.case import Case, ask, refused, served, unfinished

_BODY: Final = b"hello"
_SMUGGLED: Final = ask(b"GET", b"/plain/second")
_AS_SENT: Final = (b"POST", b"/plain/l", _BODY)
_EMPTY: Final = (b"POST", b"/plain/l", b"")
_EVERY: Final = bytes(range(256))
_SPELT: Final = b"Content_Length: 5"
_NONE: Final = b"Content-Length: 0"
_FIVE: Final = b"Content-Length: 5"
_SECOND: Final = (b"GET", b"/plain/second", b"")


def _post(*lines: bytes, body: bytes = _BODY) -> bytes:
    return ask(b"POST", b"/plain/l", *lines, body=body)


_GOOD: Final = {
    "plain": b"Content-Length: 5",
    "lower-case": b"content-length: 5",
    "upper-case": b"CONTENT-LENGTH: 5",
    "no-blank": b"Content-Length:5",
    "tab": b"Content-Length:\t5",
    "blanks-around": b"Content-Length:   5 \t ",
    "leading-zeros": b"Content-Length: 0005",
}
_BAD: Final = {
    "plus": b"Content-Length: +5",
    "minus": b"Content-Length: -5",
    "minus-zero": b"Content-Length: -0",
    "hexadecimal": b"Content-Length: 0x5",
    "float": b"Content-Length: 5.0",
    "exponent": b"Content-Length: 5e0",
    "underscore": b"Content-Length: 0_5",
    "letters": b"Content-Length: five",
    "nothing": b"Content-Length:",
    "blanks-alone": b"Content-Length:   ",
    "inner-blank": b"Content-Length: 5 5",
    "list-of-equals": b"Content-Length: 5, 5",
    "list-of-two": b"Content-Length: 5, 6",
    "trailing-comma": b"Content-Length: 5,",
    "semicolon": b"Content-Length: 5;a=b",
    "quoted": b'Content-Length: "5"',
    "arabic-digit": b"Content-Length: \xd9\xa5",
    "superscript": b"Content-Length: \xb5",
    "nineteen-digits": b"Content-Length: 1000000000000000005",
    "above-64-bits": b"Content-Length: 18446744073709551621",
    "twice-the-same": b"Content-Length: 5\r\nContent-Length: 5",
    "twice-different": b"Content-Length: 5\r\nContent-Length: 0",
    "twice-in-two-cases": b"content-length: 5\r\nCONTENT-LENGTH: 5",
    "nul-behind": b"Content-Length: 5\x00",
    "vertical-tab": b"Content-Length:\x0b5",
    "blank-before-colon": b"Content-Length : 5",
    "tab-before-colon": b"Content-Length\t: 5",
    "folded": b"Content-Length:\r\n 5",
    "led-by-blank": b" Content-Length: 5",
    "bare-cr-before": b"X: y\rContent-Length: 5",
    "bare-lf-before": b"X: y\nContent-Length: 5",
}

CASES: Final[tuple[Case, ...]] = (
    *(served(f"length {name}", _post(line), _AS_SENT) for name, line in _GOOD.items()),
    *(refused(f"length {name}", _post(line), 400) for name, line in _BAD.items()),
    served("post without a length has no body", _post(body=b""), _EMPTY),
    served("length zero", _post(_NONE, body=b""), _EMPTY),
    served("length on get", ask(b"GET", b"/plain/l", b"Content-Length: 5", body=_BODY), (b"GET", b"/plain/l", _BODY)),
    served(
        "length on delete",
        ask(b"DELETE", b"/plain/l", b"Content-Length: 5", body=_BODY),
        (b"DELETE", b"/plain/l", _BODY),
    ),
    served(
        "length zero and a request behind it",
        _post(_NONE, body=_SMUGGLED),
        _EMPTY,
        _SECOND,
    ),
    served("post without a length and a request behind it", _post(body=_SMUGGLED), _EMPTY, _SECOND),
    served("length shorter than what follows", _post(_FIVE, body=_BODY + _SMUGGLED), _AS_SENT, _SECOND),
    served(
        "body that is a request",
        _post(b"Content-Length: %d" % len(_SMUGGLED), body=_SMUGGLED),
        (b"POST", b"/plain/l", _SMUGGLED),
    ),
    served("length that connection names", _post(_FIVE, b"Connection: content-length"), _AS_SENT),
    served(
        "length spelt with an underscore is none",
        _post(b"Content_Length: 5", body=_SMUGGLED),
        _EMPTY,
        _SECOND,
    ),
    refused(
        "length spelt with an underscore before bytes",
        _post(b"Content_Length: 5", body=b"hello\r\n\r\n"),
        400,
        _EMPTY,
    ),
    served(
        "body of every byte",
        _post(b"Content-Length: 256", body=bytes(range(256))),
        (b"POST", b"/plain/l", bytes(range(256))),
    ),
    served("empty line behind a body", _post(_FIVE, body=_BODY + b"\r\n" + _SMUGGLED), _AS_SENT, _SECOND),
    unfinished("length longer than what follows", _post(b"Content-Length: 50", body=_BODY)),
)
