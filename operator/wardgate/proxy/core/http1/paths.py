"""Request targets, each brought into one spelling before anything is decided by it.

The path takes the form of ``url_path``; the query stays as it is. A target without a clear reading is refused: control
bytes, blanks, bytes beyond ASCII, a fragment, a target that is neither a path, nor a whole URL, nor the ``*`` of
OPTIONS, and a path that has no form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wardgate.proxy.core.grammar import is_host
from wardgate.url_path import normalise

_PLAIN = re.compile(
    rb"(/|(?:/[0-9A-Za-z_~!$&'()*+,;=:@\[\]-][0-9A-Za-z._~!$&'()*+,;=:@\[\]-]*)+/?)(?:\?([\x21\x22\x24-\x7e]*))?"
)
"""Nearly every target: no escape, no segment that begins with a dot or is empty, so that its path is in its form."""
_UNREADABLE = re.compile(rb"[\x00-\x20\x7f-\xff#]")
_ABSOLUTE = re.compile(rb"(?:https?)://([^/?\\]+)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Target:
    """A target that was read. ``path`` is normalised; ``query`` has no question mark, None where there was none.

    ``authority`` is that of a whole URL, which goes before the Host header (RFC 9112, 3.2.2); None otherwise.
    """

    path: bytes
    query: bytes | None = None
    authority: bytes | None = None


def read_target(target: bytes, *, method: bytes) -> Target | None:
    """Read a request target; None: refuse the request (400)."""
    plain = _PLAIN.fullmatch(target)
    if plain is not None:
        return Target(plain[1], plain[2])
    if _UNREADABLE.search(target) is not None:
        return None
    if target[:1] == b"/":
        return _target(target)
    if target == b"*" and method == b"OPTIONS":
        return Target(target)
    return _read_url(target)


def _read_url(target: bytes) -> Target | None:
    parts = _ABSOLUTE.fullmatch(target)
    if parts is None or not is_host(parts[1]):
        return None
    return _target(parts[2], authority=parts[1])


def _target(rest: bytes, *, authority: bytes | None = None) -> Target | None:
    path, mark, query = rest.partition(b"?")
    form = normalise(path or b"/")
    return None if form is None else Target(form, query if mark else None, authority)
