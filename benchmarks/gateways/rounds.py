"""Rounds in which every contender takes its turn, in an order drawn anew for each round."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def interleaved(
    contenders: Sequence[str], rounds: int, measure: Callable[[str], T], *, chance: random.Random
) -> dict[str, list[T]]:
    """Return the samples of each contender, one a round, so that samples of one index belong together."""
    samples: dict[str, list[T]] = {contender: [] for contender in contenders}
    for number in range(rounds):
        say(f"    round {number + 1} of {rounds}")
        for contender in chance.sample(contenders, len(contenders)):
            samples[contender].append(measure(contender))
    return samples


def say(line: str) -> None:
    """Show progress on standard error; standard output is the report's."""
    print(line, file=sys.stderr, flush=True)
