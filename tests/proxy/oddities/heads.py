"""Request lines and fields: what is merely unusual is served, what two readers could read differently is refused."""

from __future__ import annotations

from typing import Final

from tests.proxy.both_ways.keys import GOOD
from tests.proxy.oddities.case import HOST, SIGNED, Case, answered, ask, refused, served, unfinished

_TARGET: Final = b"/plain/h"
_OLD: Final = b"HTTP/1.0"
_GET: Final = (b"GET", _TARGET, b"")


def _line(line: bytes) -> bytes:
    return line + b"\r\n" + SIGNED + b"\r\n"


def _with(*lines: bytes) -> bytes:
    return ask(b"GET", _TARGET, *lines)


def _hosted(*lines: bytes) -> bytes:
    return b"\r\n".join((b"GET " + _TARGET + b" HTTP/1.1", b"api-key: " + GOOD, *lines, b"", b""))


_LINES: Final = {
    "two blanks before the target": (b"GET  /plain/h HTTP/1.1", 400),
    "two blanks behind the target": (b"GET /plain/h  HTTP/1.1", 400),
    "tab before the target": (b"GET\t/plain/h HTTP/1.1", 400),
    "tab behind the target": (b"GET /plain/h\tHTTP/1.1", 400),
    "blank at the beginning": (b" GET /plain/h HTTP/1.1", 400),
    "blank at the end": (b"GET /plain/h HTTP/1.1 ", 400),
    "blank in the target": (b"GET /plain/h x HTTP/1.1", 400),
    "no version": (b"GET /plain/h", 400),
    "no target": (b"GET HTTP/1.1", 400),
    "an empty target": (b"GET  HTTP/1.1", 400),
    "no method": (b" /plain/h HTTP/1.1", 400),
    "version 0.9": (b"GET /plain/h HTTP/0.9", 505),
    "version 1.2": (b"GET /plain/h HTTP/1.2", 505),
    "version 2.0": (b"GET /plain/h HTTP/2.0", 505),
    "version of two digits": (b"GET /plain/h HTTP/1.10", 400),
    "version of one number": (b"GET /plain/h HTTP/1", 400),
    "version in lower case": (b"GET /plain/h http/1.1", 400),
    "version of another protocol": (b"GET /plain/h RTSP/1.0", 400),
    "nul in the target": (b"GET /plain/h\x00 HTTP/1.1", 400),
    "return in the target": (b"GET /plain/h\r HTTP/1.1", 400),
    "line feed in the target": (b"GET /plain/h\n HTTP/1.1", 400),
    "a line feed alone": (b"GET /plain/h HTTP/1.1\nX: y", 400),
    "a second return": (b"GET /plain/h HTTP/1.1\r", 400),
    "method in lower case": (b"get /plain/h HTTP/1.1", 400),
    "method in mixed case": (b"Get /plain/h HTTP/1.1", 400),
    "method with a colon": (b"GET: /plain/h HTTP/1.1", 400),
    "method beyond ASCII": (b"G\xcbT /plain/h HTTP/1.1", 400),
    "method of 33 letters": (b"A" * 33 + b" /plain/h HTTP/1.1", 400),
    "trace": (b"TRACE /plain/h HTTP/1.1", 405),
    "connect": (b"CONNECT gw.example:443 HTTP/1.1", 405),
    "preface of HTTP/2": (b"PRI * HTTP/2.0", 505),
}
_METHODS: Final = (b"OPTIONS", b"PATCH", b"PROPFIND", b"M-SEARCH", b"A" * 32)
_HOSTS: Final = {
    "missing": (),
    "empty": (b"Host:",),
    "twice": (b"Host: gw.example", b"Host: other.example"),
    "twice the same": (b"Host: gw.example", b"host: gw.example"),
    "with a blank": (b"Host: gw.example other.example",),
    "with a comma": (b"Host: gw.example,other.example",),
    "with a path": (b"Host: gw.example/plain",),
    "with a user": (b"Host: user@gw.example",),
    "with a scheme": (b"Host: http://gw.example",),
    "with a port of letters": (b"Host: gw.example:http",),
    "with a long port": (b"Host: gw.example:123456",),
    "with an empty port": (b"Host: gw.example:",),
    "with a question mark": (b"Host: gw.example?x",),
    "with a hash": (b"Host: gw.example#x",),
    "with a backslash": (b"Host: gw.example\\x",),
    "beyond ASCII": (b"Host: gw.ex\xe4mple",),
    "in broken brackets": (b"Host: [::1",),
    "spelt with a blank": (b"Host : gw.example",),
    "folded": (b"Host:", b" gw.example"),
}
_GOOD_HOSTS: Final = (b"GW.EXAMPLE", b"gw.example:8081", b"gw.example.", b"[::1]:8081", b"192.0.2.1", b"under_score")
_GOOD_FIELDS: Final = {
    "empty value": b"X-Empty:",
    "blanks alone": b"X-Blank:   ",
    "tab inside": b"X-Tab: a\tb",
    "bytes beyond ASCII": b"X-Latin: caf\xe9",
    "all token characters": b"x!#$%&'*+-.^_`|~0: y",
    "long name": b"x" * 1000 + b": y",
    "long value": b"X-Long: " + b"y" * 4000,
    "the same twice": b"X-Two: a\r\nX-Two: b",
    "colon in the value": b"X-Colon: a: b",
    "quotes": b'X-Quoted: "a',
    "host spelt otherwise": b"X-Host: other.example",
    "upgrade that is not taken": b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA",
    "keep-alive": b"Connection: keep-alive\r\nKeep-Alive: timeout=5",
    "options of a connection": b"Connection: x-one, ,x-two\r\nX-One: 1",
    "between proxies": b"Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic YTpi",
}
_BAD_FIELDS: Final = {
    "no colon": b"X-Colonless",
    "no name": b": x",
    "blank in the name": b"X Blank: y",
    "blank behind the name": b"X-Blank : y",
    "tab behind the name": b"X-Tab\t: y",
    "brackets in the name": b"X(y): z",
    "slash in the name": b"X/y: z",
    "at sign in the name": b"X@y: z",
    "byte beyond ASCII in the name": b"X-\xe9: z",
    "nul in the name": b"X\x00: z",
    "nul in the value": b"X: y\x00z",
    "escape in the value": b"X: y\x1bz",
    "delete in the value": b"X: y\x7fz",
    "return in the value": b"X: y\rz",
    "line feed in the value": b"X: y\nz",
    "folded": b"X: y\r\n z",
    "folded with a tab": b"X: y\r\n\tz",
    "two hundred and one": b"\r\n".join(b"X-%d: y" % number for number in range(199)),
}

CASES: Final[tuple[Case, ...]] = (
    *(refused(f"line: {name}", _line(line), status) for name, (line, status) in _LINES.items()),
    *(served(f"method {one.decode()}", ask(one, _TARGET), (one, _TARGET, b"")) for one in _METHODS),
    *(refused(f"host {name}", _hosted(*lines), 400) for name, lines in _HOSTS.items()),
    *(served(f"host {one.decode()}", _hosted(b"Host: " + one), _GET) for one in _GOOD_HOSTS),
    *(served(f"field: {name}", _with(line), _GET) for name, line in _GOOD_FIELDS.items()),
    *(refused(f"field: {name}", _with(line), 431 if "hundred" in name else 400) for name, line in _BAD_FIELDS.items()),
    refused("head of more than 64 KiB", _with(b"X: " + b"y" * 66_000), 431),
    served("one empty line first", b"\r\n" + _with(), _GET),
    served("two empty lines first", b"\r\n\r\n" + _with(), _GET),
    refused("three empty lines first", b"\r\n\r\n\r\n" + _with(), 400),
    refused("line feed first", b"\n" + _with(), 400),
    refused("return and a letter first", b"\rG" + _with(), 400),
    refused("lines that end with line feeds", _with().replace(b"\r\n", b"\n") + b"\r\n\r\n", 400),
    refused("handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n", 400),
    served("HTTP/1.0", ask(b"GET", _TARGET, version=_OLD), _GET, goes_on=False),
    served(
        "HTTP/1.0 that keeps alive",
        ask(b"GET", _TARGET, b"Connection: keep-alive", version=_OLD),
        _GET,
        goes_on=False,
    ),
    refused("HTTP/1.0 without a host", b"GET /plain/h HTTP/1.0\r\n\r\n", 400),
    served("connection that closes", _with(b"Connection: close"), _GET, goes_on=False),
    served("connection that closes in capitals", _with(b"CONNECTION: CLOSE"), _GET, goes_on=False),
    served("connection that closes among options", _with(b"Connection: x, close"), _GET, goes_on=False),
    refused("expectation unknown", _with(b"Expect: 200-ok"), 417),
    refused("expectation twice", _with(b"Expect: 100-continue", b"Expect: later"), 417),
    served(
        "expectation with a body at once",
        ask(b"POST", _TARGET, b"Expect: 100-continue", b"Content-Length: 2", body=b"hi"),
        (b"POST", _TARGET, b"hi"),
    ),
    answered("no key", b"GET /plain/h HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST, 401),
    answered("wrong key", b"GET /plain/h HTTP/1.1\r\nHost: %b\r\napi-key: wrong\r\n\r\n" % HOST, 401),
    answered("key twice", _with(b"api-key: " + GOOD), 401),
    answered("key twice, once underscored", _with(b"api_key: " + GOOD), 401),
    answered("key that connection names", _with(b"Connection: api-key"), 401),
    answered("key in the query alone", b"GET /plain/h?api-key=%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (GOOD, HOST), 401),
    unfinished("head without an end", b"GET /plain/h HTTP/1.1\r\nHost: gw"),
    unfinished("head without its last line", _with()[:-2]),
    unfinished("method alone", b"GET"),
)
