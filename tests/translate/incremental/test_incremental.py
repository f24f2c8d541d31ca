"""A long-lived memo, and no memo at all: the same, whatever changes in whatever order.

Each step changes a few things of a ``World``; the verdicts of some translations are asked for only when others have
followed.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.translate.world import World
from wardgate.translate import Memo, Translation, translate
from wardgate.translate.reading.last_good import LastGood


def _assert_same(expected: Translation, actual: Translation) -> None:
    assert expected.config == actual.config
    assert expected.named_secrets == actual.named_secrets
    assert expected.statuses == actual.statuses
    assert list(expected.last_good.items()) == list(actual.last_good.items())


def _play(seed: int, *, cases: int, steps: int) -> None:
    chance = random.Random(seed)  # a test's dice
    world, memo = World(chance, cases=cases), Memo()
    memories: list[LastGood] = [{}]
    later: list[tuple[Translation, Translation]] = []
    for manifest in world.pool if chance.random() < 0.7 else ():
        world.put(manifest)
    for _ in range(steps):
        for _ in range(chance.choice((0, 1, 1, 1, 2, 5))):
            world.change()
        expected = world.expected()
        actual = translate(world.store.freeze(), world.settings, last_good=world.last_good, memo=memo)
        assert expected.config == actual.config
        if chance.random() < 0.7:
            _assert_same(expected, actual)
        else:
            later.append((expected, actual))
        memories.append(actual.last_good)
        # Now and then another replica's memory takes the place of one's own.
        world.last_good = memories[-1] if chance.random() < 0.9 else chance.choice(memories)
    for pair in later:
        _assert_same(*pair)


@pytest.mark.no_cover
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0))
def test_memo_changes_nothing_where_keys_meet(seed: int) -> None:
    _play(seed, cases=2, steps=15)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=0))
def test_memo_changes_nothing_where_much_is_at_work(seed: int) -> None:
    _play(seed, cases=8, steps=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_memo_changes_nothing_for_a_long_time(seed: int) -> None:
    _play(seed, cases=1 + seed % 6, steps=60)
