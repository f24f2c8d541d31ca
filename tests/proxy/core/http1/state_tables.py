"""What the tests of a state machine ask of its table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeAlias, TypeVar

import pytest

S = TypeVar("S")
E = TypeVar("E")
Table: TypeAlias = Mapping[S, Mapping[E, S]]


class _Noting(dict[E, S], Generic[E, S]):
    """The moves of one state; notes each that is made."""

    def __init__(self, state: S, moves: Mapping[E, S], made: set[tuple[S, E]]) -> None:
        super().__init__(moves)
        self._state, self._made = state, made

    def __getitem__(self, event: E) -> S:
        self._made.add((self._state, event))
        return super().__getitem__(event)


def note_moves(monkeypatch: pytest.MonkeyPatch, table: Table[S, E]) -> set[tuple[S, E]]:
    """Let the table itself, which a compiled module holds fast, note the moves that are made by it from now on."""
    made: set[tuple[S, E]] = set()
    assert isinstance(table, dict)
    for state, moves in [*table.items()]:
        monkeypatch.setitem(table, state, _Noting(state, moves, made))
    return made


def moves_of(table: Table[S, E]) -> set[tuple[S, E]]:
    return {(state, event) for state, moves in table.items() for event in moves}


def reached(table: Table[S, E], start: S) -> set[S]:
    """Every state that moves lead to, ``start`` included."""
    found, new = {start}, [start]
    while new:
        following = set(table[new.pop()].values()) - found
        found |= following
        new += following
    return found


def states_set_without_the_table(module: ModuleType) -> list[str]:
    """What is assigned to a ``state`` in a module, unless it comes from ``MOVES``."""
    # Beside an extension too, if the module is compiled.
    source = Path(str(module.__file__)).with_name(f"{module.__name__.rpartition('.')[2]}.py")
    assigned = re.findall(r"\.state = (.+)", source.read_text(encoding="utf-8"))
    return [value for value in assigned if not value.startswith("MOVES[")]
