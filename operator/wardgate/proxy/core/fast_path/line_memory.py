"""Header lines that were read strictly once, and are known by their bytes the next time.

Clients say the same things with every request, so most of a head is known before it is read. A line is remembered with
the bytes that are sent on for it, which are none where it is dropped. Lines that come together, in the same order each
time, are remembered together as well (``moulds``).

No line is remembered that may hold a secret: only fields of the names listed here are, and what varies from request to
request is not worth it. The memory is bounded, and forgotten as a whole when it is full: a flood of lines costs time.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Final

from wardgate.proxy.core.fast_path.moulds import Mould
from wardgate.proxy.core.grammar import FIELD_LINE

_LINE: Final = re.compile(FIELD_LINE)
LONGEST: Final = 512
"""Bytes of a line that is remembered, or of what is told apart by its bytes in any other way."""
_MOULDS: Final = 16
"""Moulds of one reader: each kind of client has its own, and most routes read alike."""
_FAMILIES: Final = (
    b"access-control-",
    b"anthropic-",
    b"cross-origin-",
    b"openai-",
    b"sec-ch-",
    b"sec-fetch-",
    b"x-stainless-",
)
_MAY_HOLD_SECRET: Final = re.compile(rb"auth|cookie|credential|key|passw|secret|token")
"""Finds names of the families that providers may use, or callers by mistake: ``openai-api-key``."""
_NAMES: Final = frozenset(
    {
        *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"accept-ranges", b"age", b"alt-svc"),
        *(b"cache-control", b"connection", b"content-encoding", b"content-language", b"content-type", b"date"),
        *(b"dnt", b"keep-alive", b"origin", b"pragma", b"priority", b"referrer-policy", b"server", b"server-timing"),
        *(b"strict-transport-security", b"user-agent", b"vary", b"via", b"x-accel-buffering"),
        *(b"x-content-type-options", b"x-frame-options", b"x-goog-api-client", b"x-powered-by", b"x-xss-protection"),
    }
)
"""Fields that hold no secret in anybody's use."""


def read_line(raw: bytes) -> tuple[bytes, bytes] | None:
    """Read a line without its end: the name in lower case, the value without blanks around it; None: it is no field."""
    if _LINE.fullmatch(raw) is None:
        return None
    name, _, value = raw.partition(b":")
    return name.lower(), value.strip(b" \t")


def write_line(name: bytes, value: bytes) -> bytes:
    """Write a field, with its end."""
    return b"%b: %b\r\n" % (name, value)


def may_be_remembered(name: bytes) -> bool:
    """Whether fields of a name hold no secret in anybody's use."""
    return name in _NAMES or (name.startswith(_FAMILIES) and not may_hold_secret(name))


def may_hold_secret(name: bytes) -> bool:
    """Whether a name speaks of a secret."""
    return _MAY_HOLD_SECRET.search(name) is not None


class KnownLines:
    """Those of one reader. ``lines``: what is sent on for each; ``moulds``: of heads, the one that fitted last first.

    To be looked up, and written to by ``LineMemory`` alone.
    """

    __slots__ = ("lines", "moulds")

    def __init__(self) -> None:
        self.lines: dict[bytes, bytes] = {}
        self.moulds: list[Mould] = []

    def prefer(self, mould: Mould) -> None:
        """Have a mould tried first that has fitted and was not."""
        self.moulds.remove(mould)
        self.moulds.insert(0, mould)


class LineMemory:
    """Lines by their bytes. ``of`` gives each reader its own; ``limit`` bounds all together, those of moulds too.

    None of them is longer than ``LONGEST``, so that the bound is one of bytes.
    """

    __slots__ = ("_known", "_limit", "remembered")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.remembered = 0
        self._known: dict[Hashable, KnownLines] = {}

    def of(self, reader: Hashable) -> KnownLines:
        """Return the lines that a reader knows."""
        known = self._known.get(reader)
        if known is None:
            known = self._known[reader] = KnownLines()
        return known

    def keep(self, known: KnownLines, raw: bytes, *, name: bytes, sent: bytes) -> None:
        """Remember a line for the reader of ``known``, if its ``name`` allows; ``sent``: the bytes sent on for it."""
        if len(raw) > LONGEST or not may_be_remembered(name):
            return
        if self.remembered >= self._limit:
            self.forget()
        self.remembered += 1
        known.lines[raw] = sent

    def keep_mould(self, known: KnownLines, mould: Mould) -> None:
        """Remember a mould in the place of the oldest one; it weighs as much as its lines."""
        if any(gap is not None and len(gap.prefix) > LONGEST for _, _, gap in mould.parts):
            return
        moulds = known.moulds
        if len(moulds) >= _MOULDS:
            self.remembered -= moulds.pop().lines
        if self.remembered + mould.lines > self._limit:
            self.forget()
            return
        self.remembered += mould.lines
        moulds.insert(0, mould)

    def forget(self) -> None:
        """Forget all lines."""
        for known in self._known.values():
            known.lines.clear()
            known.moulds.clear()
        self.remembered = 0
