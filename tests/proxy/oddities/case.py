"""One request, or a few on one connection, with what the caller gets and what the upstream sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.proxy.both_ways.keys import GOOD

HOST: Final = b"gw.example"
SIGNED: Final = b"Host: " + HOST + b"\r\napi-key: " + GOOD + b"\r\n"
"""The lines that let a request pass: its host and its key."""

Forwarded = tuple[bytes, bytes, bytes]
"""Method, target and body as they reach the upstream."""


@dataclass(frozen=True, slots=True)
class Case:
    """``statuses``: those of the final responses, in their order. ``forwarded``: what the upstream sees.

    ``goes_on``: another request behind it, on the same connection, is served. ``waits``: it has no end, so the caller
    closes its side instead.
    """

    name: str
    data: bytes
    statuses: tuple[int, ...]
    forwarded: tuple[Forwarded, ...] = ()
    goes_on: bool = True
    waits: bool = False


def ask(method: bytes, target: bytes, *lines: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    """Return a request with a host and a good key; ``lines`` are put behind them as they are."""
    start = b"%b %b %b\r\n" % (method, target, version)
    return start + SIGNED + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def served(name: str, data: bytes, *forwarded: Forwarded, goes_on: bool = True) -> Case:
    """All of it reaches the upstream, which answers 200."""
    return Case(name, data, (200,) * len(forwarded), forwarded, goes_on=goes_on)


def refused(name: str, data: bytes, status: int, *before: Forwarded) -> Case:
    """It is refused and the connection ends, after what was served before."""
    return Case(name, data, (*(200,) * len(before), status), before, goes_on=False)


def answered(name: str, data: bytes, status: int) -> Case:
    """The gateway answers itself, and the connection goes on."""
    return Case(name, data, (status,))


def unfinished(name: str, data: bytes) -> Case:
    """It has no end: nothing is answered, and nothing is sent on whole."""
    return Case(name, data, (), goes_on=False, waits=True)
