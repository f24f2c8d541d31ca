"""Moulds of heads: what a head says that came before, told apart from what differs each time.

Clients say the same things in the same order, with a few lines between that differ. A mould is made of a head that was
read line by line: its remembered lines are put together to *runs*, each compared as a whole, and every other line is
a *gap*, whose line is read anew each time. So no secret is in a mould, as none is in a line that is remembered.

Rule 1: a head fits if it is the runs with one line of the same field in each gap, and nothing else. One that does not
        is read line by line. A mould never says that a head is wrong.
Rule 2: the line in a gap is read as strictly as it is without a mould. Of a field that came before in its place only
        the name is not read again, whose bytes are compared.
Rule 3: a head is made a mould of only if all its lines had been remembered before: one that differs each time, though
        its name is listed, makes none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_BLANKS: Final = re.compile(rb"[ \t]*")

ANY: Final = 0
"""A gap whose line is read as any other."""
KEY: Final = 1
LENGTH: Final = 2
CODING: Final = 3
"""One with a transfer coding."""
FIELD: Final = 4
"""One whose field goes on, or is dropped, whatever its value is, unless that may hide a key."""


class Gap:
    """A line that differs each time. ``prefix``: the bytes up to its value; ``name``: in lower case."""

    __slots__ = ("is_dropped", "kind", "name", "prefix")

    def __init__(self, raw: bytes, *, kind: int, name: bytes, is_dropped: bool = False) -> None:
        colon = raw.index(b":") + 1
        blanks = _BLANKS.match(raw, colon)
        assert blanks is not None, "It may be empty."
        self.prefix = raw[: blanks.end()]
        self.name = name
        self.kind = kind
        self.is_dropped = is_dropped


class Mould:
    """``parts``: runs, each with what is sent on for it and the gap behind it; None behind the last one.

    ``lines``: of the head that it was made of; ``status``: a response's.
    """

    __slots__ = ("lines", "parts", "status")

    def __init__(
        self, lines: Sequence[bytes], *, known: Mapping[bytes, bytes], gaps: Sequence[Gap], status: int = 0
    ) -> None:
        """``gaps``: of the lines that are not ``known``, in their order."""
        self.lines = len(lines)
        self.status = status
        self.parts: list[tuple[bytes, bytes, Gap | None]] = []
        run, sent, number = b"", b"", 0
        for raw in lines:
            if raw in known:
                run, sent = run + raw + b"\r\n", sent + known[raw]
            else:
                self.parts.append((run, sent, gaps[number]))
                run, sent, number = b"", b"", number + 1
        self.parts.append((run, sent, None))
