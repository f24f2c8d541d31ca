"""Plays a conversation both ways and tells, in a form to be read, what differs and what no gateway may do at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from tests.proxy.both_ways.events import Conversation
from tests.proxy.both_ways.stage import Stage, Step, Transcript

SETTING = "remembered_lines"
_REQUEST_ID = re.compile(rb"[0-9a-f]{32}")


def way(remembered_lines: int | None) -> Mapping[str, int]:
    """Return the changes of the limits that make a way; None: as they are by default."""
    return {} if remembered_lines is None else {SETTING: remembered_lines}


GENERAL, FAST = way(0), way(None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both transcripts, and what is wrong with them, in sentences; none: nothing."""

    general: Transcript
    fast: Transcript
    differences: tuple[str, ...]


def compare(
    conversation: Conversation, *, general: Mapping[str, int] = GENERAL, fast: Mapping[str, int] = FAST
) -> Comparison:
    """Play a conversation on two gateways that differ in these changes of their limits alone.

    A request that the fast way held until its body was there reaches the general way in one piece.
    """
    second = Stage(conversation, fast).play()
    first = Stage(conversation, general, held=frozenset(second.held)).play()
    found = [f"Either way: {fault}" for fault in first.faults]
    found += [f"The fast way alone: {fault}" for fault in second.faults if fault not in first.faults]
    found += _differences(_Ids().named(first), _Ids().named(second))
    if first.fast:
        found.append(f"With the fast way off {first.fast} requests took it.")
    return Comparison(first, second, tuple(found))


def _differences(general: Transcript, fast: Transcript) -> Iterator[str]:
    for number, (one, other) in enumerate(zip_longest(general.steps, fast.steps)):
        if one != other:
            # What follows a difference follows from it.
            yield _told(number, one, other)
            break
    for number, (line, other_line) in enumerate(zip_longest(general.lines, fast.lines)):
        if line != other_line:
            yield f"Line {number} of the access log:\n  general: {line}\n  fast:    {other_line}"
            break
    if general.counts != fast.counts:
        yield f"Counters:\n  general: {general.counts}\n  fast:    {fast.counts}"
    if general.reports != fast.reports:
        yield f"Reports:\n  general: {general.reports}\n  fast:    {fast.reports}"


def _told(number: int, general: Step | None, fast: Step | None) -> str:
    if general is None or fast is None:
        return f"Step {number}: one way has ended.\n  general: {general}\n  fast:    {fast}"
    told = [f"Step {number}: {general.event}"]
    for name in sorted({*general.written, *fast.written}):
        one, other = general.written.get(name, b""), fast.written.get(name, b"")
        if one != other:
            alike = _alike(one, other)
            told.append(f"  {name}, after {alike} bytes that are the same:")
            told += [f"    general: {_around(one, alike)!r}", f"    fast:    {_around(other, alike)!r}"]
    if general.ends != fast.ends:
        told += [f"  ends, general: {general.ends}", f"  ends, fast:    {fast.ends}"]
    return "\n".join(told)


def _alike(one: bytes, other: bytes) -> int:
    """Return how many bytes are the same at the beginning."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _around(data: bytes, at: int) -> bytes:
    return data[max(0, at - 60) : at + 200]


class _Ids:
    """The ids that a gateway makes up for requests, named in their order."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}

    def named(self, transcript: Transcript) -> Transcript:
        """Return the transcript with those names in it."""
        steps = [
            Step(step.event, {name: self._bytes(data) for name, data in step.written.items()}, step.ends)
            for step in transcript.steps
        ]
        lines = [
            {name: self._text(value) if isinstance(value, str) else value for name, value in line.items()}
            for line in transcript.lines
        ]
        return Transcript(steps, lines, transcript.counts, transcript.reports)

    def _bytes(self, data: bytes) -> bytes:
        return _REQUEST_ID.sub(lambda found: self._names.setdefault(found[0], b"<id %d>" % len(self._names)), data)

    def _text(self, text: str) -> str:
        return self._bytes(text.encode("latin-1", "replace")).decode("latin-1")
