"""Names of variables as paths through JSON, and walking along them.

A name is turned into the reference tokens of a JSON pointer (RFC 6901) exactly as the library does it, oddities
included: one trailing dot is dropped, slashes separate in both notations, and ``~0`` ``~1`` are escapes.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from wardgate.inja.errors import REDACTED, RenderError
from wardgate.inja.values import JsonValue

Path: TypeAlias = tuple[str, ...]


class Missing:
    """The type of ``MISSING``, the value of a variable that does not exist."""

    __slots__ = ()


MISSING: Final = Missing()

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_INDEX: Final = re.compile(r"(?:0|[1-9][0-9]*)\Z", re.ASCII)
_MAX_INDEX: Final = 2**64 - 1


class PointerError(RenderError):
    """A name or an index is no legal reference token; worded as in the library."""


def dotted_path(name: str) -> Path:
    """Split at dots (and slashes): ``a.b`` and ``a/b`` are the same path."""
    parts = name.split(".")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    return _tokens("/".join(parts))


def pointer_path(name: str) -> Path:
    """Split at slashes only: the notation of ``advancedTemplates``."""
    return _tokens(name.removeprefix("/"))


def find(value: JsonValue, path: Path) -> JsonValue | Missing:
    """Walk along a path. Raises ``PointerError`` for an index that no array could have."""
    for token in path:
        if type(value) is dict:
            if token not in value:
                return MISSING
            value = value[token]
        elif type(value) is list:
            index = member_index(token)
            if index is None or index >= len(value):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value


def member_index(token: str) -> int | None:
    """Read an array index; ``None`` if the token is no index."""
    if _INDEX.match(token):
        if len(token) > 20 or int(token) > _MAX_INDEX:
            raise unresolved(token)
        if int(token) == _MAX_INDEX:
            raise _quoting("[json.exception.out_of_range.410] array index {} exceeds size_type", token)
        return int(token)
    if not token:
        raise unresolved(token)
    return None


def unresolved(token: str) -> PointerError:
    """Make the error for a token that leads nowhere."""
    return _quoting("[json.exception.out_of_range.404] unresolved reference token '{}'", token[:64])


def _quoting(message: str, token: str) -> PointerError:
    return PointerError(message.format(token), sealed=message.format(REDACTED))


def _tokens(pointer: str) -> Path:
    if _BAD_ESCAPE.search(pointer):
        msg = "[json.exception.parse_error.108] parse error: escape character '~' must be followed with '0' or '1'"
        raise PointerError(msg)
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/"))
