"""The time of a step: ``python -m benchmarks.template_costs [ROWS]``.

Every part of the template language, texts that are parsed and regular expressions, each at its dearest, done until the
default budget is spent. Prints the rows that take longest for a step, in CPU time of the thread, the best of three.
A row above 500 nanoseconds breaks the promise of 50 milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import thread_time

from tests.inja.costs import Cost, constant_costs, growing_costs
from tests.inja.static_context import StaticContext
from wardgate.inja.budget import StepBudget
from wardgate.inja.errors import TemplateError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.json_bounds import load
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.limits import DEFAULT_LIMITS
from wardgate.inja.template import compile_template

ROUNDS = 3
FEWEST = 1000
"""Steps. What ends earlier says nothing about a step."""
_LONGEST = DEFAULT_LIMITS.json_bytes - 2
_MOST = DEFAULT_LIMITS.json_values - 2
_BODIES = {
    "ones": b"[" + b"1," * _MOST + b"1]",
    "hard numbers": b"[" + b"2.2250738585072011e-308," * _MOST + b"1]",
    "objects": b"[" + b"{}," * (_MOST // 2) + b"1]",
    "nested lists": b"[" + (b"[" * 200 + b"]" * 200 + b",") * (_MOST // 201) + b"1]",
    "keys": b"{" + b",".join(b'"%x":1' % number for number in range(_MOST // 2)) + b"}",
    "a long string": b'"' + b"a" * _LONGEST + b'"',
    "accents": b'"' + b"\xc3\xa9" * (_LONGEST // 2) + b'"',
    "an emoji": b'"' + b"a" * (_LONGEST * 9 // 10) + b'\xf0\x9f\x98\x80"',
    "line ends": b'"' + rb"a\n" * (_LONGEST // 3) + b'"',
    "backslashes": b'"' + rb"\\" * (_LONGEST // 2) + b'"',
    "marks in a string": b'"' + b"[{,:" * (_LONGEST // 4) + b'"',
    "brackets": b"[" * _LONGEST,
    "quotes": b'"' * _LONGEST,
}
_PATTERNS = (
    *("[ab]*" + "[ab]" * 31 + "c", "a*(.*)", "(.*)(.*)(.*)(.*)(.*)(.*)x?", "([ab]*a[ab]{12})*", "([ab]*a[ab]{20})*x"),
    *("((a?a?a?a?a?a?a?a?a?a?)*)", "([ab]*a[ab]{200}|.*)*", r"[\s\S]*"),
)
_REPLACED = ("a", "[ab]", "[ab]{31}c", "(a|b)", "a+", "[ab]c")


@dataclass(frozen=True)
class Row:
    """What was done, the steps that it was charged and the seconds that it took."""

    name: str
    steps: int
    seconds: float

    @property
    def nanoseconds(self) -> float:
        """Of one step."""
        return self.seconds / self.steps * 1e9


def measured(name: str, work: Callable[[StepBudget], object], *, steps: int = DEFAULT_LIMITS.steps) -> Row:
    """Do it several times, each with a budget of its own."""
    seconds = []
    budget = StepBudget(steps)
    for _ in range(ROUNDS):
        budget = StepBudget(steps)
        begin = thread_time()
        with suppress(TemplateError, JsonTextError):  # the budget is spent, or the end was reached
            work(budget)
        seconds.append(thread_time() - begin)
    return Row(name, budget.spent, min(seconds))


def rendered(cost: Cost) -> Row:
    """One expression in a loop."""
    template = compile_template(cost.loop, name="t")
    metadata = {"io.solo.transformation": cost.data, "ns": {}}

    def work(budget: StepBudget) -> None:
        template.render(StaticContext(cost.data, budget=budget, dynamic_metadata=metadata))

    data = ", ".join(f"{name}={str(value)[:8]!a}" for name, value in cost.data.items())
    return measured(f"{cost.expression} with {data}", work)


def parsed(body: bytes, budget: StepBudget) -> None:
    """Parse a body."""
    load(body, limits=DEFAULT_LIMITS, meter=budget)


def rows() -> Iterator[Row]:
    """Measure everything."""
    for cost in (*constant_costs(), *growing_costs(size=16)):
        yield rendered(cost)
    for name, body in _BODIES.items():
        yield measured(f"parse {name}", partial(parsed, body), steps=10**9)
    for text in (b"a" * 30_000, b"ab" * 15_000, b"\xff" * 30_000):
        for pattern in _PATTERNS:
            extractor = compile_extractor(regex=pattern)
            yield measured(f"extract {pattern}", partial(extractor.extract_bytes, text), steps=10**9)
        for pattern in _REPLACED:
            extractor = compile_extractor(regex=pattern, mode="REPLACE_ALL", replacement="$&-")
            yield measured(f"replace {pattern}", partial(extractor.extract_bytes, text), steps=10**9)


def main() -> None:
    """Print the dearest rows."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    found = sorted((row for row in rows() if row.steps >= FEWEST), key=lambda row: -row.nanoseconds)
    for row in found[:count]:
        print(f"{row.nanoseconds:5.0f} ns a step {row.seconds * 1e3:7.1f} ms {row.steps:8} steps  {row.name}")


if __name__ == "__main__":
    main()
