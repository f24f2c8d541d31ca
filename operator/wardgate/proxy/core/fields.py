"""Header fields by their folded names (``wardgate.field_names``), as bytes and fast.

Names that arrive are lower case, and few hold an underscore: only those are folded, and the rest pay for the question.
The question is ``95 in name``: CPython answers it for a number in a quarter of the time that ``b"_" in name`` takes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import product

from wardgate import field_names
from wardgate.proxy.core.messages import HeaderList

_UNDERSCORE = ord("_")
_NO_OPTIONS: frozenset[bytes] = frozenset()
_NAMES_NO_FIELD = frozenset({b"close", b"keep-alive"})
"""Options of ``Connection`` that speak of the connection and of no field that could stand in a list."""


def fold(name: bytes) -> bytes:
    """Fold a name that is in lower case."""
    return name.replace(b"_", b"-")


def folded_names(names: Iterable[str]) -> frozenset[bytes]:
    """Fold names that a config gives."""
    return frozenset(field_names.fold(name).encode("utf-8", "surrogateescape") for name in names)


def spellings(names: Iterable[str]) -> frozenset[bytes]:
    """Every mixture of hyphens and underscores of a few short names, for a set that needs no folding to be asked."""
    return frozenset(
        "".join(each).encode() for name in names for each in product(*("-_" if c == "-" else c for c in name))
    )


HOP_BY_HOP = spellings(field_names.HOP_BY_HOP)
PROXY_WRITTEN = spellings(field_names.PROXY_WRITTEN)


def without(headers: HeaderList, folded: Container[bytes]) -> HeaderList:
    """Return the fields whose folded names are not among ``folded``."""
    return [
        field
        for field in headers
        if field[0] not in folded and (_UNDERSCORE not in field[0] or fold(field[0]) not in folded)
    ]


def drop(headers: HeaderList, name: bytes) -> None:
    """Remove a header in every spelling, in place."""
    folded, length = fold(name), len(name)
    headers[:] = [field for field in headers if len(field[0]) != length or fold(field[0]) != folded]


def values_of(headers: HeaderList, folded: bytes) -> list[bytes]:
    """Return the values of a header in every spelling, in their order. All spellings have one length."""
    length = len(folded)
    return [value for name, value in headers if len(name) == length and fold(name) == folded]


def connection_options(values: Sequence[bytes]) -> frozenset[bytes]:
    """Return the options of ``Connection``, folded."""
    if not values:
        return _NO_OPTIONS
    return frozenset(fold(option.strip(b" \t").lower()) for value in values for option in value.split(b","))


def end_to_end(headers: HeaderList, options: frozenset[bytes], *, special: frozenset[bytes]) -> HeaderList:
    """Return what goes on: neither one of ``special``, in the spelling given, nor a field that ``Connection`` names."""
    kept = [field for field in headers if field[0] not in special]
    return without(kept, options - _NAMES_NO_FIELD) if options else kept
