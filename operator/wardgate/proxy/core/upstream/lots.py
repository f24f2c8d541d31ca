"""Numbers that choose among the destinations of a route."""

from __future__ import annotations

from collections.abc import Callable


class Lots:
    """Draws numbers. ``pick(n)`` is a number from 0 below ``n``.

    A request that has drawn one and then goes another way puts it back, and draws it again there. Otherwise it would
    draw anew whenever an upstream has no idle connection, and the busier upstream would get less than its weight.
    """

    __slots__ = ("_pick", "_put_back")

    def __init__(self, pick: Callable[[int], int]) -> None:
        self._pick = pick
        self._put_back: dict[int, int] = {}

    def draw(self, below: int) -> int:
        """Draw a number from 0 below ``below``."""
        if self._put_back:
            left = self._put_back.pop(below, None)
            if left is not None:
                return left
        return self._pick(below)

    def put_back(self, drawn: int, *, below: int) -> None:
        """Have a number drawn again, by the next that asks for one of as many."""
        self._put_back[below] = drawn
