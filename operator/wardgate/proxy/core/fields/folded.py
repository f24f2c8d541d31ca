"""Header fields by their folded names (``wardgate.field_names``), as bytes and fast.

Names that arrive are lower case, and few hold an underscore: only those are folded, and the rest pay for the question.
The question is ``95 in name``: CPython answers it for a number in a quarter of the time that ``b"_" in name`` takes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias

from wardgate import field_names
from wardgate.proxy.core.grammar import connection_options
from wardgate.proxy.core.messages import Header, HeaderList
from wardgate.text_codec import to_bytes

Taken: TypeAlias = "dict[bytes, list[bytes]]"

_UNDERSCORE = ord("_")
_NO_OPTIONS: frozenset[bytes] = frozenset()
_NAMES_NO_FIELD = frozenset({b"close", b"keep-alive"})
"""Options of ``Connection`` that speak of the connection and of no field that could stand in a list."""


def fold(name: bytes) -> bytes:
    """Fold a name that is in lower case."""
    return name.replace(b"_", b"-")


def folded_names(names: Iterable[str]) -> frozenset[bytes]:
    """Fold names that a config gives."""
    return frozenset(to_bytes(field_names.fold(name)) for name in names)


def without(headers: HeaderList, folded: Container[bytes]) -> HeaderList:
    """Return the fields whose folded names are not among ``folded``."""
    return [
        field
        for field in headers
        if field[0] not in folded and (_UNDERSCORE not in field[0] or fold(field[0]) not in folded)
    ]


def drop(headers: HeaderList, name: bytes) -> None:
    """Remove a header in every spelling, in place."""
    folded, length = fold(name), len(name)  # all spellings have one length, which is compared first
    headers[:] = [field for field in headers if len(field[0]) != length or fold(field[0]) != folded]


def first_value(headers: Iterable[Header], name: bytes) -> bytes | None:
    """Return the first value of a header in this spelling; None if it is absent."""
    for given, value in headers:
        if given == name:
            return value
    return None


def values_of(headers: HeaderList, folded: bytes) -> list[bytes]:
    """Return the values of a header in every spelling, in their order. All spellings have one length."""
    length = len(folded)
    return [value for name, value in headers if len(name) == length and fold(name) == folded]


def end_to_end(fields: HeaderList, *, special: frozenset[bytes]) -> tuple[HeaderList, Taken, frozenset[bytes]]:
    """Sort out the fields that go on: not ``special``, in the spelling given, nor named by ``Connection``.

    With it come the values of ``special``, by their names, and the folded options of ``Connection``, which is one of
    them.
    """
    headers: HeaderList = []
    taken: Taken = {}
    for field in fields:
        if field[0] in special:
            taken.setdefault(field[0], []).append(field[1])
        else:
            headers.append(field)
    if b"connection" not in taken:
        return headers, taken, _NO_OPTIONS
    options = frozenset(map(fold, connection_options(taken[b"connection"])))
    return without(headers, options - _NAMES_NO_FIELD), taken, options
