"""The corpus both ways, in one piece and byte by byte, on fresh connections and on ones that have carried requests."""

from __future__ import annotations

import pytest

from tests.proxy.both_ways.events import Connect, Conversation, Event, HalfClose, Send
from tests.proxy.both_ways.oracle import compare
from tests.proxy.both_ways.stage import Transcript
from tests.proxy.both_ways.worlds import World
from tests.proxy.oddities.case import Case, Forwarded, ask
from tests.proxy.oddities.corpus import CASES, TAIL, expected, statuses_in

WARM = ask(b"GET", b"/plain/warm")
NARROW = World(only=("plain",))
WARMED: Forwarded = (b"GET", b"/plain/warm", b"")


def whole(case: Case) -> list[Event]:
    return [Send(1, case.data, begins=False)]


def by_bytes(case: Case) -> list[Event]:
    return [Send(1, case.data[at : at + 1], begins=False) for at in range(len(case.data))]


def outcome(transcript: Transcript) -> tuple[tuple[int, ...], tuple[Forwarded, ...]]:
    responses = b"".join(step.written.get("c1.0", b"") for step in transcript.steps)
    return statuses_in(responses), tuple(transcript.forwarded)


def test_corpus_is_large_and_its_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_oddity_has_its_one_outcome_both_ways(case: Case) -> None:
    last: Event = HalfClose(1) if case.waits else Send(1, TAIL, begins=False)
    statuses, forwarded = expected(case)
    for said in [whole(case)] if len(case.data) > 1000 else [whole(case), by_bytes(case)]:
        for warm in (0, 3):
            events = (Connect(1), *[Send(1, WARM)] * warm, *said, last)
            compared = compare(Conversation(events, NARROW))
            assert () == compared.differences
            assert ((200,) * warm + statuses, (WARMED,) * warm + forwarded) == outcome(compared.general)
