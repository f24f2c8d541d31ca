"""Request targets in every spelling: each reaches the upstream in the one form that it was routed by, or not at all."""

from __future__ import annotations

from typing import Final

from tests.proxy.oddities.case import Case, answered, ask, refused, served

_FORMS: Final = {
    b"/plain": b"/plain",
    b"/plain/": b"/plain/",
    b"/plain/a": b"/plain/a",
    b"//plain/a": b"/plain/a",
    b"///plain////a": b"/plain/a",
    b"/./plain/a": b"/plain/a",
    b"/x/../plain/a": b"/plain/a",
    b"/../../plain/a": b"/plain/a",
    b"/plain/b/../a": b"/plain/a",
    b"/plain/b/%2e%2E/a": b"/plain/a",
    b"/plain/.": b"/plain/",
    b"/plain/b/..": b"/plain/",
    b"/%70lain/a": b"/plain/a",
    b"/plain/%61%7e": b"/plain/a~",
    b"/plain/a%2fb": b"/plain/a%2Fb",
    b"/plain/%2561": b"/plain/%2561",
    b"/plain\\a": b"/plain/a",
    b"\\plain/a": None,
    b'/plain/"a"': b"/plain/%22a%22",
    b"/plain/<a>": b"/plain/%3Ca%3E",
    b"/plain/{a}|^`": b"/plain/%7Ba%7D%7C%5E%60",
    b"/plain/a;b=c": b"/plain/a;b=c",
    b"/plain/a:b@c": b"/plain/a:b@c",
    b"/plain/...": b"/plain/...",
    b"/plain/.a": b"/plain/.a",
    b"/plain/a?": b"/plain/a?",
    b"/plain/a?b=c&d": b"/plain/a?b=c&d",
    b"/plain/a?b=/../c": b"/plain/a?b=/../c",
    b"/plain/a?b=%2e%2F%zz": b"/plain/a?b=%2e%2F%zz",
    b"/plain/a?b=c?d": b"/plain/a?b=c?d",
    b"/plain/a?" + b"q" * 3000: b"/plain/a?" + b"q" * 3000,
    b"/plain/" + b"a" * 3000: b"/plain/" + b"a" * 3000,
    b"http://gw.example/plain/a": b"/plain/a",
    b"HTTP://GW.example:80/plain/a?b": b"/plain/a?b",
    b"https://gw.example/plain/a": b"/plain/a",
    b"http://third.example/x/../plain/a": b"/plain/a",
    b"/plain/a#b": None,
    b"/plain/a?b#c": None,
    b"/plain/%": None,
    b"/plain/%6": None,
    b"/plain/%zz": None,
    b"/plain/%00": None,
    b"/plain/..%2f": None,
    b"/plain/..%5ca": None,
    b"/plain/..;/a": None,
    b"/plain/.;a": None,
    b"/plain/%2e%2e%2fa": None,
    b"plain/a": None,
    b"plain": None,
    b"gw.example:80": None,
    b"*": None,
    b"?a": None,
    b"http://": None,
    b"http:///plain/a": None,
    b"http://user@gw.example/plain/a": None,
    b"http://gw.example:port/plain/a": None,
    b"http://gw.example\\plain": b"/plain",
    b"ftp://gw.example/plain/a": None,
    b"http:/plain/a": None,
}
_UNROUTED: Final = (b"/", b"/PLAIN/a", b"/plai%6", b"/plain/../x", b"http://gw.example", b"/x?/plain/a")


def _cases() -> tuple[Case, ...]:
    found = []
    for written, form in _FORMS.items():
        name, data = f"target {written[:40].decode()}", ask(b"GET", written)
        found.append(refused(name, data, 400) if form is None else served(name, data, (b"GET", form, b"")))
    return tuple(found)


CASES: Final[tuple[Case, ...]] = (
    *_cases(),
    *(answered(f"target {one.decode()}", ask(b"GET", one), 404) for one in _UNROUTED if b"%6" not in one),
    answered("target * of options", ask(b"OPTIONS", b"*"), 404),
    refused("target beyond ASCII", ask(b"GET", b"/plain/\xc3\xa9"), 400),
    refused("target with a delete", ask(b"GET", b"/plain/\x7f"), 400),
)
