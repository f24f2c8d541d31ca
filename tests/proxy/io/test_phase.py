"""A stream goes only where the table says."""

from __future__ import annotations

import pytest

from wardgate.proxy.io.downstream.phase import DECIDING, DONE, FORWARDING, MOVES, RELAYING, Phase


def test_stream_goes_where_the_table_says() -> None:
    assert FORWARDING is MOVES[DECIDING][FORWARDING]
    assert all(phase is following for moves in MOVES.values() for phase, following in moves.items())


@pytest.mark.parametrize(("phase", "following"), [(DECIDING, RELAYING), (RELAYING, FORWARDING), (DONE, DONE)])
def test_other_moves_are_bugs(phase: Phase, following: Phase) -> None:
    with pytest.raises(KeyError):
        MOVES[phase][following]


def test_every_phase_can_be_reached_and_every_one_but_the_last_may_end() -> None:
    reached = {DECIDING}.union(*MOVES.values())

    assert set(Phase) == reached == set(MOVES)
    assert {DONE} == {phase for phase in Phase if DONE not in MOVES[phase]}
