"""A conversation that shows a difference, cut down to the events that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.proxy.both_ways.events import Conversation, Event

_TRIES: Final = 600


def shrunk(conversation: Conversation, still: Callable[[Conversation], bool]) -> Conversation:
    """Leave out events, in ever smaller runs, for as long as ``still`` says that the difference shows."""
    events, size, tries = conversation.events, max(1, len(conversation.events) // 2), 0
    while tries < _TRIES:
        events, took, used = _without_runs(events, size, lambda kept: still(replace(conversation, events=kept)))
        tries += used
        if not took and size == 1:
            break
        size = max(1, size // 2)
    return replace(conversation, events=events)


def _without_runs(
    events: tuple[Event, ...], size: int, holds: Callable[[tuple[Event, ...]], bool]
) -> tuple[tuple[Event, ...], bool, int]:
    at, took, used = 0, False, 0
    while at < len(events):
        kept = events[:at] + events[at + size :]
        used += 1
        if holds(kept):
            events, took = kept, True
        else:
            at += size
    return events, took, used
