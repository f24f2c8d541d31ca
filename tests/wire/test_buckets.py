"""Where two sequences begin to differ."""

from __future__ import annotations

import pytest

from wardgate.wire.buckets import common_start

MANY = tuple(range(1000))


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 255, 256, 999])
def test_the_start_that_two_sequences_share_is_found(length: int) -> None:
    assert common_start(MANY, (*MANY[:length], -1, *MANY[length + 1 :])) == length
    assert common_start(MANY, MANY[:length]) == length
    assert common_start(MANY[:length], MANY) == length


@pytest.mark.parametrize("length", [0, 1, 128, 130])
def test_equal_sequences_share_all(length: int) -> None:
    assert common_start(MANY[:length], MANY[:length]) == length
