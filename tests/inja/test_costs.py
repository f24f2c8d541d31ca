"""Every function and operator is charged for what it works on; the time of a step is measured by a benchmark."""

from __future__ import annotations

import re

import pytest

from tests.inja.costs import Cost, constant_costs, growing_costs
from tests.inja.static_context import StaticContext
from wardgate.inja.budget import StepBudget, search_steps
from wardgate.inja.errors import LimitError, RenderError
from wardgate.inja.operators import OPERATIONS
from wardgate.inja.template import FUNCTIONS, compile_template
from wardgate.inja.values import JsonValue

_PLENTY = 10**9


def _spent(cost: Cost) -> int:
    budget = StepBudget(_PLENTY)
    context = StaticContext(cost.data, budget=budget, dynamic_metadata={"io.solo.transformation": cost.data, "ns": {}})
    try:
        compile_template(cost.template, name="t").render(context)
    except LimitError:
        raise
    except RenderError:
        pass  # what fails in the end was worked on too
    return budget.spent


def _name(cost: Cost) -> str:
    return f"{cost.expression} of {str(next(iter(cost.data.values()), ''))[:3]!a}"


@pytest.mark.parametrize(
    ("small", "large"),
    list(zip(growing_costs(size=4), growing_costs(size=16), strict=True)),
    ids=_name,
)
def test_work_on_four_times_as_much_is_charged_three_times_as_much_at_least(small: Cost, large: Cost) -> None:
    assert _spent(large) >= 3 * _spent(small)


@pytest.mark.parametrize("cost", list(constant_costs()), ids=_name)
def test_work_of_one_size_costs_a_step_at_least(cost: Cost) -> None:
    assert 1 <= _spent(cost) <= 20


@pytest.mark.parametrize(
    ("expression", "data", "least"),
    [
        ("exists(t)", {"t": "a." * 10_000}, 10_000),
        ("exists(t)", {"t": "~1" * 10_000}, 10_000),
        ("replace_with_random(t, p)", {"t": "a" * 20_000, "p": "a" * 90}, 21_000),
        ('dynamic_metadata(t, "ns", ":")', {"t": ":" * 10_000}, 10_000),
        ("first(o)", {"o": {"x" * 10_000 + str(number): 1 for number in range(100)}}, 13_000),
        ("sort(l)", {"l": list(range(1000))}, 10_000),
        ("l == m", {"l": [1] * 1000, "m": [1] * 1000}, 1_000),
        ("raw_string(t)", {"t": "a" * 64_000}, 2_000),
        ("float(t)", {"t": "1" * 64_000}, 2_000),
        ("base64_decode(t)", {"t": "a" * 64_000}, 1_000),
        ("header(t)", {"t": "a" * 64_000}, 1_000),
        ("word_count(l)", {"l": ["a"] * 1000}, 2_000),
        ('join(l, "")', {"l": [1.5] * 1000}, 2_000),
    ],
)
def test_what_takes_long_costs_what_was_measured(expression: str, data: dict[str, JsonValue], least: int) -> None:
    assert _spent(Cost(expression, data)) >= least


def test_every_function_and_operator_is_among_the_costs() -> None:
    text = " ".join(cost.expression for cost in (*constant_costs(), *growing_costs(size=1)))
    words = set(re.findall(r"[A-Za-z0-9_]+|[^\sA-Za-z0-9_()]+", text))
    assert {*FUNCTIONS, *OPERATIONS} - words == set()


def test_searching_is_charged_where_it_is_quadratic() -> None:
    assert search_steps("a" * 20_000, "a" * 90) == 20_000 * 90 >> 8


def test_what_is_spent_is_known() -> None:
    budget = StepBudget(10)
    budget.charge(3)
    assert budget.charge_text("a" * 512) == "a" * 512
    assert budget.spent == 6
    with pytest.raises(LimitError, match="more than 10 steps"):
        budget.charge(5)
