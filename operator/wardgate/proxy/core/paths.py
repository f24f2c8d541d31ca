"""One spelling for every request target, before anything is decided by it.

A route that demands a key must not be passed by writing its path differently. So the path is brought into the form
that Envoy's normaliser gives it: a backslash is a slash, dot segments are resolved in all their spellings
(``%2e`` included), and a path that climbs above the root stays at the root. All other escapes and repeated slashes stay
as they are, because their meaning is the upstream's. What has no clear reading at all is refused: control bytes,
blanks, bytes beyond ASCII, a fragment, a target that is neither a path, nor a whole URL, nor the ``*`` of OPTIONS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNREADABLE = re.compile(rb"[\x00-\x20\x7f-\xff#]")
_ABSOLUTE = re.compile(rb"(?:https?)://([^/?\\]+)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(rb"(?:[0-9A-Za-z._~%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HERE = frozenset({b".", b"%2e"})
_UP = frozenset({b"..", b".%2e", b"%2e.", b"%2e%2e"})


@dataclass(frozen=True, slots=True)
class Target:
    """``path`` is normalised; ``query`` has no question mark, None where there was none.

    ``authority`` is that of a whole URL, which goes before the Host header (RFC 9112, 3.2.2); None otherwise.
    """

    path: bytes
    query: bytes | None = None
    authority: bytes | None = None


def read_target(target: bytes, *, method: bytes) -> Target | None:
    """Read a request target; None: refuse the request (400)."""
    if _UNREADABLE.search(target) is not None:
        return None
    if target[:1] == b"/":
        path, mark, query = target.partition(b"?")
        return Target(normalise(path), query if mark else None)
    if target == b"*" and method == b"OPTIONS":
        return Target(target)
    return _read_url(target)


def _read_url(target: bytes) -> Target | None:
    parts = _ABSOLUTE.fullmatch(target)
    if parts is None or _AUTHORITY.fullmatch(parts[1]) is None:
        return None
    path, mark, query = parts[2].partition(b"?")
    return Target(normalise(path or b"/"), query if mark else None, parts[1])


def normalise(path: bytes) -> bytes:
    """Resolve dot segments and backslashes of a path that begins with a slash or backslash."""
    if b"." not in path and b"\\" not in path and b"%2" not in path:
        return path
    kept: list[bytes] = []
    open_end = False
    for segment in path.replace(b"\\", b"/")[1:].split(b"/"):
        lowered = segment.lower()
        open_end = lowered in _HERE or lowered in _UP
        if lowered in _UP:
            del kept[-1:]
        elif not open_end:
            kept.append(segment)
    if open_end:
        kept.append(b"")
    return b"/" + b"/".join(kept)
