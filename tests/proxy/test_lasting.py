"""The garbage collector passes over what was built to last, and over nothing else."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from wardgate.proxy.lasting import lasting


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Give back to the collector what the tests froze."""
    yield
    gc.unfreeze()


def test_what_is_built_is_not_looked_through_then_or_later() -> None:
    with lasting():
        assert not gc.isenabled()
        built = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert not any(one is built for one in gc.get_objects())


def test_what_was_left_behind_before_is_collected() -> None:
    left: list[object] = []
    left.append(left)
    place = id(left)
    del left
    with lasting():
        assert not any(id(one) == place for one in gc.get_objects())


def test_failure_ends_it_too() -> None:
    with pytest.raises(ZeroDivisionError), lasting():
        raise ZeroDivisionError
    assert gc.isenabled()
