"""One spelling for every path: of requests, of the matchers that owners write, and of what a rewrite makes.

A route that demands a key must not be passed by writing its path differently. The form is the one that Envoy's
normaliser gives a path, which Istio calls BASE, followed by Istio's MERGE_SLASHES; it differs in what is said below.

Rule 1: a ``%`` that two hex digits do not follow has no clear reading, and ``%00`` ends a path for some readers: both
        are refused. Envoy passes the former on.
Rule 2: escapes of unreserved characters are resolved, once (RFC 3986, 6.2.2.2). All others stay, their meaning being
        the upstream's, with their digits in upper case (6.2.2.1). Envoy leaves the digits as they are.
Rule 3: characters that may not stand in a path (RFC 3986, 3.3) are escaped, and a backslash is a slash.
Rule 4: dot segments are resolved (5.2.4); a path that climbs above the root stays at the root.
Rule 5: repeated slashes become one.
Rule 6: a dot segment that only some readers see, ``..%2F``, ``..%5C`` or ``..;``, is refused: the escaped slash because
        servers that decode a path whole resolve it afterwards, the semicolon because servlet containers drop what
        follows it. Envoy passes them on.

The order is the rules': an escape resolved late could make a dot segment, and one resolved twice another escape. The
form of a form is itself. Why slashes are merged is said in docs/decisions/0013.
"""

from __future__ import annotations

import re
from typing import Final

_UNSETTLED: Final = re.compile(rb'//|/\.|[%\\"<>^`{|}#\x00-\x20\x7f-\xff]')
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_HIDDEN_DOTS: Final = re.compile(rb"(?:/|%2F|%5C)\.{1,2}(?:;|%2F|%5C|/|\Z)")
_CUT_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]?\Z")
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_RESOLVED: Final = {b"%%%02X" % byte: bytes((byte,)) for byte in _UNRESERVED}
_FORBIDDEN: Final = (*b'"<>^`{|}#', *range(0x21), *range(0x7F, 0x100))
_SPELT: Final = {byte: f"%{byte:02X}" for byte in _FORBIDDEN} | {ord("\\"): "/"}
_DOTS: Final = frozenset({b".", b".."})


def normalise(path: bytes) -> bytes | None:
    """Bring a path that begins with a slash or backslash, and has no query, into its form; None: refuse it."""
    if _UNSETTLED.search(path) is None:
        return path
    spelt = _spell(path)
    if spelt is None:
        return None
    resolved = _resolve(spelt)
    return None if _HIDDEN_DOTS.search(resolved) else resolved


def settle(path: bytes) -> bytes | None:
    """Bring a path that a rewrite made into its form; a query that it brought stays as it is.

    None: it has no form, or it holds a dot segment. A caller's path and the text that a rewrite joins to it must not
    climb out of the rewritten path.
    """
    if path[:1] == b"/" and b"?" not in path and _UNSETTLED.search(path) is None:
        return path
    path, mark, query = path.partition(b"?")
    spelt = _spell(path)
    if spelt is None or not _DOTS.isdisjoint(spelt.split(b"/")):
        return None
    settled = normalise(spelt)
    return None if settled is None else settled + mark + query


def normalise_prefix(prefix: bytes) -> bytes | None:
    """Bring the beginning of a path into the form that the paths beginning with it have; None: no path does.

    Its last segment may go on in a path, so that it is no dot segment yet, and may end within an escape.
    """
    if prefix[:1] not in (b"", b"/", b"\\"):
        return None
    cut = _CUT_ESCAPE.search(prefix)
    whole, rest = (prefix, b"") if cut is None else (prefix[: cut.start()], cut[0].upper())
    spelt = _spell(whole)
    if spelt is None:
        return None
    folder, slash, last = spelt.rpartition(b"/")
    folder_form = normalise(folder + slash) if slash else b""
    return None if folder_form is None else folder_form + last + rest


def _spell(path: bytes) -> bytes | None:
    """Apply the rules 1 to 3, which look at single characters."""
    if b"%" in path:
        if _BAD_ESCAPE.search(path):
            return None
        path = _ESCAPE.sub(_settle_escape, path)
    # Not by a pattern: a path of 60 KB that is forbidden throughout would keep a worker for 17 ms.
    return path.decode("latin-1").translate(_SPELT).encode("ascii")


def _settle_escape(escape: re.Match[bytes]) -> bytes:
    upper = escape[0].upper()
    return _RESOLVED.get(upper, upper)


def _resolve(path: bytes) -> bytes:
    """Apply the rules 4 and 5, which look at segments."""
    kept: list[bytes] = []
    segments = path.split(b"/")
    for segment in segments[1:]:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    # Empty segments go last: `/a//../b` is `/a/b` for Envoy, whose `..` takes the empty one.
    merged = [segment for segment in kept if segment]
    if merged and (segments[-1] in _DOTS or not segments[-1]):
        merged.append(b"")
    return b"/" + b"/".join(merged)
