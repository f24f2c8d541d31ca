"""The group of token sources: what many credentials take from one place, so that a new token is one small group."""

from __future__ import annotations

from wardgate import ir
from wardgate.wire.bundle import TOKENS, opened
from wardgate.wire.coders import UnknownPart
from wardgate.wire.lenient import items
from wardgate.wire.tags import CODEC
from wardgate.wire.text import parse

_SOURCE = CODEC.record(ir.TokenSource)
_PART = "token_sources"


def written(sources: tuple[ir.TokenSource, ...]) -> dict[str, object]:
    """The fields of the group. Raises ``EncodeError``."""
    return {_PART: [_SOURCE.encode(one, 2) for one in sources]}


def decode_sources(data: bytes) -> tuple[ir.TokenSource, ...]:
    """The sources, in the order they were written.

    One with a part that only a newer version knows is left out, and all are where the group has such a part: the keys
    that name them open nothing. Raises ``WireError``.
    """
    parts = opened(parse(data), kind=TOKENS)
    known = [_read(one) for one in items(parts.pop(_PART, []))]
    if any(not name.startswith("info_") for name in parts):
        return ()
    return tuple(one for one in known if one is not None)


def _read(value: object) -> ir.TokenSource | None:
    try:
        return _SOURCE.decode(value)
    except UnknownPart:
        return None
