"""Made-up conversations both ways: no difference, no fault, and every kind of end comes up (long: ``__main__``)."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proxy.both_ways.__main__ import report, way_of
from tests.proxy.both_ways.conversations import conversation
from tests.proxy.both_ways.oracle import compare


@pytest.mark.no_cover
def test_made_up_conversations_are_the_same_both_ways() -> None:
    ends: Counter[object] = Counter()
    for seed in range(200):
        compared = compare(conversation(Random(seed)), fast=way_of(seed))
        assert () == compared.differences, report(seed)
        ends.update(line.get("reason") or line["status"] for line in compared.general.lines)
    # A grammar that is refused for the same few reasons all the time tests nothing.
    assert sum(ends.values()) > 2000
    assert ends[200] > sum(ends.values()) / 5
    assert {"key_unknown", "key_expired", "bad_header", "upstream_broken", "caller_gone", "closed", 304} <= ends.keys()


@pytest.mark.no_cover
@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_any_conversation_is_the_same_both_ways(choices: Random) -> None:
    assert () == compare(conversation(choices, longest=12)).differences
