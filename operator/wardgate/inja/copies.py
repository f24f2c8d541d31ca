"""Templates that print what they look up as it is, so that nothing of what a value says decides anything.

Every doubt is answered with no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wardgate.inja.nodes import Call, Constant, Expression, Print, Statement, Text, Variable

_LOOK_UPS: Final = frozenset({"extraction", "header", "request_header"})


def only_copies(statements: Sequence[Statement]) -> bool:
    """Whether all that is printed is text of the template, and whole values."""
    return all(isinstance(each, Text) or (isinstance(each, Print) and _copies(each.expression)) for each in statements)


def _copies(expression: Expression | None) -> bool:
    if isinstance(expression, Variable):
        return len(expression.path) == 1 and expression.path[0] != "loop"
    if not isinstance(expression, Call) or expression.name not in _LOOK_UPS:
        return False
    (name,) = expression.arguments
    return isinstance(name, Constant) and isinstance(name.value, str)
