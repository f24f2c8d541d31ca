"""The parts of a message on which a template may depend: by printing, comparing, or any other use.

Every doubt is answered with yes, because the question is whether a text may reveal a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.inja.nodes import Call, Constant, Expression, Statement, Variable
from wardgate.inja.tree import all_statements, expression_of, parts_of

_DATA_FUNCTIONS: Final = frozenset({"body", "context", "exists", "extraction"})
_METADATA_FUNCTIONS: Final = frozenset({"dynamic_metadata"})


@dataclass(frozen=True, slots=True)
class Reads:
    """``headers`` of the message itself and ``request_headers``, as the template spells them; None: any header.

    ``data``: the body, or an extractor's value. ``metadata``: dynamic metadata.
    """

    headers: frozenset[str] | None
    request_headers: frozenset[str] | None
    data: bool
    metadata: bool


def reads_of(statements: Sequence[Statement]) -> Reads:
    """Return the parts of a message on which these statements may depend."""
    parts = [part for each in all_statements(statements) for part in parts_of(expression_of(each))]
    calls = [part for part in parts if isinstance(part, Call)]
    return Reads(
        headers=_names(call for call in calls if call.name == "header"),
        request_headers=_names(call for call in calls if call.name == "request_header"),
        data=any(isinstance(part, Variable) for part in parts) or any(call.name in _DATA_FUNCTIONS for call in calls),
        metadata=any(call.name in _METADATA_FUNCTIONS for call in calls),
    )


def _names(calls: Iterable[Call]) -> frozenset[str] | None:
    names = [_text(call.arguments[0]) for call in calls]
    known = [name for name in names if name is not None]
    return frozenset(known) if len(known) == len(names) else None


def _text(argument: Expression) -> str | None:
    """A name that stands in the template; None for one that is computed when it is rendered."""
    return argument.value if isinstance(argument, Constant) and isinstance(argument.value, str) else None
