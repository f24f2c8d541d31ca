"""Remedies keep their promise: the finding goes, no error comes, and what asked for a key still asks for one."""

from __future__ import annotations

import pytest

from tests.remedies.api_rows import ROWS as API_ROWS
from tests.remedies.foreign_rows import ROWS as FOREIGN_ROWS
from tests.remedies.gateway import GUARDED, OPEN, base, changed, doors, translated
from tests.remedies.gateway_rows import ROWS as GATEWAY_ROWS
from tests.remedies.policy_rows import ROWS as POLICY_ROWS
from tests.remedies.route_rows import ROWS as ROUTE_ROWS
from tests.remedies.row import Row
from tests.remedies.source_rows import ROWS as SOURCE_ROWS
from tests.remedies.token_rows import ROWS as TOKEN_ROWS
from wardgate.api import parse_object
from wardgate.problems import Problem, ProblemKind
from wardgate.settings import Settings

ROWS = API_ROWS + POLICY_ROWS + GATEWAY_ROWS + ROUTE_ROWS + FOREIGN_ROWS + TOKEN_ROWS + SOURCE_ROWS
_BAD = (ProblemKind.ERROR, ProblemKind.CONFLICT)


def _found(row: Row, number: int | None = None) -> tuple[tuple[Problem, ...], dict[str, str]]:
    """The problems and the doors of the mistake, or of the ``number``-th way out of it."""
    objects, settings = changed(base(), row.wrong), row.settings
    if number is not None:
        objects, settings = changed(objects, row.right[number]), row.mended
    translation = translated(objects, settings)
    parsed = [problem for manifest in objects.values() for problem in parse_object(manifest).problems]
    return (*translation.statuses.problems, *parsed), doors(translation)


def test_gateway_without_a_mistake_has_no_finding() -> None:
    translation = translated(base(), Settings())
    assert ((), {"llm": GUARDED}) == (translation.statuses.problems, doors(translation))


def problems_of(row: Row) -> tuple[Problem, ...]:
    """The findings about the mistake."""
    return _found(row)[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.told)
def test_mistake_is_told(row: Row) -> None:
    assert [] != [one for one in _found(row)[0] if row.told in one.message]


@pytest.mark.parametrize(
    ("row", "number"),
    [(row, number) for row in ROWS for number in range(len(row.right))],
    ids=lambda one: one.told if isinstance(one, Row) else str(one),
)
def test_remedy_mends_and_opens_no_door(row: Row, number: int) -> None:
    _, before = _found(row)
    problems, after = _found(row, number)
    assert [] == [one.message for one in problems if row.told in one.message or one.kind in _BAD]
    assert dict(row.then) == after
    assert [] == [name for name, door in after.items() if door == OPEN != before.get(name, OPEN)]
