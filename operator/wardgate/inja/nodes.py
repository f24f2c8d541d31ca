"""The tree of a parsed template.

Expressions carry ``height``: the depth of nesting that evaluating them needs. A chain of operators of equal precedence
leans to the left and is evaluated in a loop, so only its right-hand sides count. The bodies of statements are lists
because the parser fills them after the statement itself is part of the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from wardgate.inja.pointer import Path
from wardgate.inja.values import JsonValue

Position: TypeAlias = tuple[int, int]
"""Line and column, from 1, in bytes."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a string, ``true`` ``false`` ``null`` or a JSON array or object."""

    value: JsonValue
    height: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that is looked up when the template is rendered."""

    name: str
    path: Path
    position: Position
    height: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A function with arguments; the parser has checked name and number of arguments."""

    name: str
    arguments: tuple[Expression, ...]
    position: Position
    height: int


@dataclass(frozen=True, slots=True)
class Not:
    """The only operator with one operand."""

    operand: Expression
    height: int


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands, including ``.`` and the word operators."""

    operator: str
    left: Expression
    right: Expression
    position: Position
    height: int


Expression: TypeAlias = Constant | Variable | Call | Not | Binary


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text, printed unchanged."""

    text: str


@dataclass(frozen=True, slots=True)
class Print:
    """``{{ ... }}``; without an expression it is an error when rendered."""

    expression: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class If:
    """``chained`` marks the ``if`` of an ``else if``, which shares its predecessor's ``endif``."""

    condition: Expression | None
    chained: bool
    then: list[Statement] = field(default_factory=list)
    otherwise: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class For:
    """A loop over an array, or with ``key`` over an object."""

    key: str | None
    value: str
    subject: Expression | None
    position: Position
    body: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Set:
    """``set path = expression``."""

    name: str
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class Block:
    """A named part; without inheritance it just prints its body."""

    name: str
    body: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """``include`` or ``extends``: nothing can be included, so rendering it is an error."""

    word: str
    file: str
    position: Position


Statement: TypeAlias = Text | Print | If | For | Set | Block | Inclusion


def height_of(left: Expression, right: Expression) -> int:
    """Height of a binary operator over two operands."""
    below_left = left.height if isinstance(left, Binary) else left.height + 1
    return max(below_left, right.height + 1)
