"""The work that may be done on one message, counted in steps.

A step is at most about 0.4 microseconds (``benchmarks/template_costs.py``), so the default budget of 100,000 steps ends
before a worker has stood still for 50 milliseconds. Code that walks over a value charges for it *before* it walks, in
proportion to the value's size. Work of less than a step that is done once is paid by the statement around it.
"""

from __future__ import annotations

from sys import getsizeof
from typing import Final

from wardgate.inja.errors import LimitError

_LONG_TEXT: Final = 30_000
_LONG_PATTERN: Final = 100


class StepBudget:
    """The remaining steps for all templates, extractors and parsed texts of one message together."""

    __slots__ = ("_left", "_steps")

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._left = steps

    @property
    def spent(self) -> int:
        """Steps done so far."""
        return self._steps - self._left

    def charge(self, steps: int, /) -> None:
        """Count work. Raises ``LimitError``."""
        self._left -= steps
        if self._left < 0:
            msg = f"The templates did more than {self._steps} steps of work."
            raise LimitError(msg)

    def charge_text(self, text: str) -> str:
        """Count the work of walking over a string or of making one; return it. Raises ``LimitError``."""
        self.charge(1 + (len(text) >> 8 if text.isascii() else getsizeof(text) >> 7))
        return text


def search_steps(text: str, pattern: str) -> int:
    """Steps of searching for a pattern everywhere in a text.

    CPython compares pattern and text at every position of a short text, and is linear in a long one.
    """
    if len(text) < _LONG_TEXT:
        return len(text) * min(len(pattern), _LONG_PATTERN) >> 8
    return len(text) >> 5
