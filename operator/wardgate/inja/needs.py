"""The parts of a message without which every rendering of a template fails, or prints nothing where a value should be.

Every doubt is answered with no, because the question is whether to tell a template's author of a mistake: bodies of
conditions and loops, the arguments of ``default`` and the right side of ``and`` and ``or`` may never be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.inja.nodes import Binary, Block, Call, Constant, Expression, Not, Print, Set, Statement, Variable
from wardgate.inja.pointer import Path
from wardgate.inja.tree import expression_of

_SHORT_CIRCUITS: Final = frozenset({"and", "or"})
_HEADERS: Final = frozenset({"header", "request_header"})


@dataclass(frozen=True, slots=True)
class Needs:
    """``variables`` are looked up in the data. ``printed`` are those among them that are printed.

    ``headers`` are printed, as the template spells them; ``extractions`` are printed by ``extraction(name)``.
    """

    variables: frozenset[Path]
    printed: frozenset[Path]
    headers: frozenset[str]
    extractions: frozenset[str]


def needs_of(statements: Sequence[Statement]) -> Needs:
    """Return the needs of a template."""
    variables, printed = set[Path](), set[Path]()
    headers, extractions = set[str](), set[str]()
    for statement, defined in _certain(statements):
        for part in _evaluated(expression_of(statement)):
            if isinstance(part, Variable) and part.path[0] not in defined:
                variables.add(part.path)
                if isinstance(statement, Print):
                    printed.add(part.path)
            elif isinstance(part, Call) and isinstance(statement, Print):
                if part.name in _HEADERS:
                    headers.update(_text(part))
                elif part.name == "extraction":
                    extractions.update(_text(part))
    return Needs(frozenset(variables), frozenset(printed), frozenset(headers), frozenset(extractions))


def _certain(statements: Sequence[Statement]) -> Iterator[tuple[Statement, frozenset[str]]]:
    """The statements that always run, each with the names that those before it define."""
    defined = {"loop"}
    waiting = list(reversed(statements))
    while waiting:
        statement = waiting.pop()
        yield statement, frozenset(defined)
        if isinstance(statement, Set):
            defined.add(statement.name.replace("/", ".").split(".")[0])
        elif isinstance(statement, Block):
            waiting += reversed(statement.body)


def _evaluated(expression: Expression | None) -> Iterator[Expression]:
    """The parts of an expression that are evaluated whatever the others come to."""
    waiting = [] if expression is None else [expression]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Binary):
            waiting.append(node.left)
            if node.operator not in _SHORT_CIRCUITS:
                waiting.append(node.right)
        elif isinstance(node, Not):
            waiting.append(node.operand)
        elif isinstance(node, Call) and node.name != "default":
            waiting += node.arguments


def _text(call: Call) -> Iterator[str]:
    """The name that a call is given, if it stands in the template."""
    name = call.arguments[0] if call.arguments else None
    if isinstance(name, Constant) and isinstance(name.value, str):
        yield name.value
