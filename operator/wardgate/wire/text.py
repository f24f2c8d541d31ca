"""Canonical JSON: one value, one sequence of bytes, on every Python.

Compact, UTF-8, nothing escaped that JSON does not demand, no NaN. Keys keep the order they are given in: the codec
gives them sorted. Text may hold lone surrogates (bytes of a manifest that were not UTF-8, carried by
``surrogateescape``); they are written with ``surrogatepass``, three bytes each, which is one-to-one for every ``str``,
so that all text survives. Reading is stricter than ``json.loads``: no name twice in an object, no NaN or Infinity.

Errors are raised outside the ``except`` block that saw the cause: ``JSONDecodeError`` and ``UnicodeDecodeError`` carry
the whole input, tokens included, and would travel along as the context.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from wardgate.wire.errors import EncodeError, WireError


@dataclass(frozen=True, slots=True)
class Written:
    """A JSON value that is bytes already."""

    data: bytes = field(repr=False)


def dump(value: object) -> bytes:
    """Write a JSON value. Raises ``EncodeError`` for what JSON cannot say, a NaN for example."""
    try:
        return _ENCODER.encode(value).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"The configuration cannot be written as JSON ({type(error).__name__})."
    raise EncodeError(problem)


def dump_object(members: Mapping[str, object]) -> bytes:
    """Write a JSON object as ``dump`` does; members may be ``Written``."""
    return b"{" + b",".join([dump(name) + b":" + _written(value) for name, value in members.items()]) + b"}"


def dump_list(items: Iterable[bytes]) -> Written:
    """Write a JSON list of what is bytes already."""
    return Written(b"[" + b",".join(items) + b"]")


def parse(data: bytes) -> object:
    """Read a JSON value. Raises ``WireError`` for anything else."""
    try:
        value: object = DECODER.decode(text_of(data))
    except (ValueError, RecursionError) as error:
        problem = f"The bytes are not JSON that this version reads ({type(error).__name__})."
    else:
        return value
    raise WireError(problem)


def text_of(data: bytes) -> str:
    """Return the text that ``dump`` encoded. Raises ``UnicodeDecodeError``, which holds the data."""
    return data.decode("utf-8", "surrogatepass")


def _written(value: object) -> bytes:
    return value.data if type(value) is Written else dump(value)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        msg = "a name stands twice in one object"
        raise ValueError(msg)
    return names


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
"""Reads values strictly; raises ``ValueError``. Only for use within this package, see above on errors."""
