"""How far a stream has come.

    DECIDING -> (COLLECTING -> DECIDING) -> FORWARDING -> READING, RELAYING or REPLACING -> DONE

A response may begin, and even end, before the request has ended. So the end of the request is no phase of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Phase(Enum):
    """Where a stream stands."""

    DECIDING = "the core decides on what is known of the request"
    COLLECTING = "the caller's body is collected, because a plan reads it"
    FORWARDING = "the request is on its way to an upstream, which has not answered yet"
    READING = "the upstream's response is collected, because a plan reads it"
    RELAYING = "the response goes to the caller as it comes"
    REPLACING = "a plan wrote another body, which is sent; what still comes of the upstream's is dropped"
    DONE = "the caller has its response, or will get none"

    # By identity: the hash of ``Enum`` is a function in Python.
    __hash__ = object.__hash__


# On Python 3.11 a member costs five times as much by its class as by a name of its own.
DECIDING: Final = Phase.DECIDING
COLLECTING: Final = Phase.COLLECTING
FORWARDING: Final = Phase.FORWARDING
READING: Final = Phase.READING
RELAYING: Final = Phase.RELAYING
REPLACING: Final = Phase.REPLACING
DONE: Final = Phase.DONE


def _to(*phases: Phase) -> Mapping[Phase, Phase]:
    return {phase: phase for phase in phases}


MOVES: Final[Mapping[Phase, Mapping[Phase, Phase]]] = {
    DECIDING: _to(COLLECTING, FORWARDING, DONE),
    COLLECTING: _to(DECIDING, DONE),
    FORWARDING: _to(READING, RELAYING, REPLACING, DONE),
    READING: _to(DONE),
    RELAYING: _to(DONE),
    REPLACING: _to(DONE),
    DONE: _to(),
}
"""Where a stream may go from a phase: ``MOVES[phase][following]``. A move that it lacks is a bug, and a ``KeyError``.

Every phase may end: the caller leaves, a limit is met, the upstream fails.
"""
