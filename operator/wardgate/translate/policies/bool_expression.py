"""The language of ``booleanExpr``: config names joined by ``&&``, ``||``, ``!`` and parentheses.

``!`` binds tightest, then ``&&``, then ``||``; operands are tried from left to right. The parser is a recursive descent
over one scan of the text, so its time is linear. Depth and length are bounded, so that neither the parser nor a later
walk over the tree exhausts the stack. The parser does not know which configs exist: ``steps_of`` lists the names in
use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from wardgate.ir import BoolAnd, BoolExpr, BoolNot, BoolOr, BoolStep

MAX_LENGTH: Final = 8192
"""Characters of an expression; far above the needs of a chain of 64 configs."""
MAX_DEPTH: Final = 32
"""Parentheses and negations within each other."""

_TOKEN: Final = re.compile(r"[ \t\r\n]*(?:(?P<name>[A-Za-z0-9_][A-Za-z0-9_./-]*)|(?P<sign>&&|\|\||[!()]))")
_END: Final = ""


@dataclass(frozen=True, slots=True)
class BoolSyntaxError:
    """A syntax error and its column, counted from 1."""

    column: int
    message: str

    def __str__(self) -> str:
        return f"at column {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    """``mixes_operators``: ``&&`` and ``||`` stand side by side without parentheses, which not everyone reads alike."""

    expression: BoolExpr
    mixes_operators: bool = False


def parse_bool_expression(text: str) -> ParsedExpression | BoolSyntaxError:
    """Read an expression, or return its first syntax error."""
    if len(text) > MAX_LENGTH:
        return BoolSyntaxError(MAX_LENGTH + 1, f"the expression is longer than {MAX_LENGTH} characters")
    try:
        return _ExpressionParser(text).parse()
    except _SyntaxFailure as failure:
        return BoolSyntaxError(failure.column, failure.message)


def steps_of(expression: BoolExpr) -> Iterator[str]:
    """The names in use, from left to right, with repetitions."""
    match expression:
        case BoolStep(step=name):
            yield name
        case BoolNot(operand=operand):
            yield from steps_of(operand)
        case BoolAnd(operands=operands) | BoolOr(operands=operands):
            for operand in operands:
                yield from steps_of(operand)


def passes_without_proof(expression: BoolExpr) -> bool:
    """Whether the expression is true although every config fails: it would let everyone in."""
    match expression:
        case BoolStep():
            return False
        case BoolNot(operand=operand):
            return not passes_without_proof(operand)
        case BoolAnd(operands=operands):
            return all(passes_without_proof(operand) for operand in operands)
        case BoolOr(operands=operands):
            return any(passes_without_proof(operand) for operand in operands)


class _SyntaxFailure(Exception):
    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


class _ExpressionParser:
    """``word`` is the name or sign at the cursor, ``column`` its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = 0
        self._mixed = False
        self.word = _END
        self.is_name = False
        self.column = 1
        self._advance()

    def parse(self) -> ParsedExpression:
        expression = self._or(depth=0)
        if self.word != _END:
            self._fail(f'expected "&&", "||" or the end, found "{self.word}"')
        return ParsedExpression(expression, mixes_operators=self._mixed)

    def _or(self, *, depth: int) -> BoolExpr:
        operands = [self._and(depth=depth)]
        while self.word == "||":
            self._advance()
            operands.append(self._and(depth=depth))
        if len(operands) == 1:
            return operands[0][0]
        self._mixed = self._mixed or any(bare for _, bare in operands)
        return BoolOr(tuple(operand for operand, _ in operands))

    def _and(self, *, depth: int) -> tuple[BoolExpr, bool]:
        """An operand of ``||``, and whether it is an ``&&`` without parentheses around it."""
        operands = [self._not(depth=depth)]
        while self.word == "&&":
            self._advance()
            operands.append(self._not(depth=depth))
        if len(operands) == 1:
            return operands[0], False
        return BoolAnd(tuple(operands)), True

    def _not(self, *, depth: int) -> BoolExpr:
        if depth > MAX_DEPTH:
            self._fail(f"more than {MAX_DEPTH} parentheses and negations within each other")
        if self.word == "!":
            self._advance()
            return BoolNot(self._not(depth=depth + 1))
        if self.word == "(":
            return self._parenthesis(depth=depth)
        if not self.is_name:
            self._fail(f"expected the name of a config, found {self._described()}")
        name = self.word
        self._advance()
        return BoolStep(name)

    def _parenthesis(self, *, depth: int) -> BoolExpr:
        self._advance()
        inner = self._or(depth=depth + 1)
        if self.word != ")":
            self._fail(f'expected ")", found {self._described()}')
        self._advance()
        return inner

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._next)
        if found is None:
            self._at_end_or_fail()
            return
        self.is_name = found["name"] is not None
        self.word = found["name"] or found["sign"]
        self.column = found.end() - len(self.word) + 1
        self._next = found.end()

    def _at_end_or_fail(self) -> None:
        rest = self._text[self._next :].lstrip(" \t\r\n")
        self.column = len(self._text) - len(rest) + 1
        if rest:
            self._fail(f"unexpected character {rest[0]!a}")
        self.word, self.is_name, self._next = _END, False, len(self._text)

    def _described(self) -> str:
        return f'"{self.word}"' if self.word else "the end"

    def _fail(self, message: str) -> NoReturn:
        raise _SyntaxFailure(self.column, message)
