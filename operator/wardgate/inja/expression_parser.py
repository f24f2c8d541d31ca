"""Expressions: tokens to a tree, by precedence.

The parser follows the library's step by step, because the library's messages reveal how far its parser had come.
Operators meet operands on two stacks (shunting yard), brackets and braces are only counted until a JSON literal is
complete, and an identifier is judged with one token of look-ahead, which moves the position in messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from wardgate.inja import jsontext, pointer
from wardgate.inja.errors import ParseError, parse_error_at
from wardgate.inja.lexer import Lexer, Token, TokenKind
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.nodes import Binary, Call, Constant, Expression, Not, Position, Variable, height_of

KnowsFunction: TypeAlias = Callable[[str, int], bool]
"""Tells whether a function of this name takes this many arguments."""

_PRECEDENCE: Final = {
    **dict.fromkeys(("and", "or"), 1),
    **dict.fromkeys(("in", "==", "!=", "<", "<=", ">", ">="), 2),
    **dict.fromkeys(("+", "-"), 3),
    **dict.fromkeys(("*", "/", "%", "not"), 4),
    "^": 5,
    ".": 8,
}
_WORD_OPERATORS: Final = frozenset({"and", "or", "in", "not"})
_CONSTANTS: Final = frozenset({"true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Syntax:
    """The rules for reading a template: its notation of paths, the known functions, the limits."""

    advanced: bool
    knows_function: KnowsFunction
    limits: TemplateLimits


@dataclass(frozen=True, slots=True)
class _Operator:
    text: str
    position: Position

    def yields_to(self, newer: str) -> bool:
        """Tell whether this operator, on the stack, is applied before a newer one is put on it."""
        mine, other = _PRECEDENCE[self.text], _PRECEDENCE[newer]
        return mine > other or (mine == other and newer != "^")


class _Operands:
    """The state of one expression: waiting operands and operators, and open brackets."""

    __slots__ = ("braces", "brackets", "literal_start", "operands", "operators")

    def __init__(self) -> None:
        self.operands: list[Expression] = []
        self.operators: list[_Operator] = []
        self.brackets = 0
        self.braces = 0
        self.literal_start = 0

    @property
    def in_literal(self) -> bool:
        return self.brackets > 0 or self.braces > 0


class TokenStream:
    """The tokens of one template, one at a time, and the errors about them."""

    def __init__(self, source: str, syntax: Syntax) -> None:
        self.syntax = syntax
        self.token = Token(TokenKind.EOF, "", 0)
        self._lexer = Lexer(source, advanced=syntax.advanced)
        self._peeked: Token | None = None

    def next(self) -> None:
        """Go on to the next token."""
        if self._peeked is not None:
            self.token, self._peeked = self._peeked, None
        else:
            self.token = self._lexer.scan()

    def peek(self) -> Token:
        """Return the token after the current one; call it once for each token."""
        self._peeked = self._lexer.scan()
        return self._peeked

    def at(self, *kinds: TokenKind) -> bool:
        """Tell whether the current token is of one of these kinds."""
        return self.token.kind in kinds

    def position(self) -> Position:
        """Return the position of the current token in the form that nodes carry."""
        return self._lexer.node_position(self.token.start)

    def text_from(self, start: int) -> str:
        """Return the template's text from an offset to the end of the current token."""
        return self._lexer.slice(start, self.token.start + len(self.token.text))

    def fail(self, message: str) -> NoReturn:
        """Raise a syntax error at the token read last."""
        raise parse_error_at(message, self._lexer.position())

    def expected(self, what: str) -> NoReturn:
        """Raise a syntax error about the current token."""
        self.fail(f"expected {what}, got '{self.token.describe()}'")

    def fail_at(self, offset: int, error: Exception) -> NoReturn:
        """Raise, with a position, the error of a part that another parser has read."""
        line, column = self._lexer.node_position(offset)
        raise ParseError(str(error), line=line, column=column) from error

    def check_depth(self, depth: int) -> None:
        """Raise a syntax error for too deep a nesting."""
        if depth > self.syntax.limits.nesting:
            self.fail(f"nested more than {self.syntax.limits.nesting} levels deep")


class ExpressionParser:
    """Parses the expressions of one template."""

    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self._to_path = pointer.pointer_path if stream.syntax.advanced else pointer.dotted_path
        self._depth = 0

    def parse(self) -> Expression | None:
        """Parse up to a token that cannot belong to the expression. ``None`` for an empty expression."""
        self._depth += 1
        self._stream.check_depth(self._depth)
        state = _Operands()
        while not self._stream.at(TokenKind.EOF) and self._expression_token(state):
            self._stream.next()
        while state.operators:
            self._apply(state)
        if len(state.operands) > 1:
            self._stream.fail("malformed expression")
        self._depth -= 1
        return state.operands[0] if state.operands else None

    def _expression_token(self, state: _Operands) -> bool:
        """Take one token into the expression; ``False`` if it ends the expression."""
        kind = self._stream.token.kind
        if kind is TokenKind.ID:
            self._identifier(state)
        elif kind is TokenKind.OPERATOR:
            self._operator(state)
        elif kind is TokenKind.LEFT_PAREN:
            self._parentheses(state)
        elif kind in (TokenKind.STRING, TokenKind.NUMBER):
            if not state.in_literal:
                self._literal(state, self._stream.token.start)
        elif kind in (TokenKind.LEFT_BRACKET, TokenKind.LEFT_BRACE):
            self._open_bracket(state)
        elif kind in (TokenKind.RIGHT_BRACKET, TokenKind.RIGHT_BRACE):
            self._close_bracket(state)
        elif kind is TokenKind.COMMA:
            return state.in_literal
        elif kind is TokenKind.COLON:
            if not state.in_literal:
                self._stream.fail("unexpected ':'")
        else:
            return False
        return True

    def _literal(self, state: _Operands, start: int) -> None:
        text = self._stream.text_from(start)
        try:
            value = jsontext.loads(text, max_depth=self._stream.syntax.limits.nesting)
        except jsontext.JsonTextError as error:
            self._stream.fail_at(start, error)
        state.operands.append(Constant(value))

    def _open_bracket(self, state: _Operands) -> None:
        if not state.in_literal:
            state.literal_start = self._stream.token.start
        if self._stream.at(TokenKind.LEFT_BRACKET):
            state.brackets += 1
        else:
            state.braces += 1

    def _close_bracket(self, state: _Operands) -> None:
        if self._stream.at(TokenKind.RIGHT_BRACKET):
            if not state.brackets:
                self._stream.fail("unexpected ']'")
            state.brackets -= 1
        else:
            if not state.braces:
                self._stream.fail("unexpected '}'")
            state.braces -= 1
        if not state.in_literal:
            self._literal(state, state.literal_start)

    def _identifier(self, state: _Operands) -> None:
        # Always, even for a constant: the look-ahead moves the position in the library's messages.
        following = self._stream.peek()
        if self._stream.token.text in _CONSTANTS:
            if not state.in_literal:
                self._literal(state, self._stream.token.start)
        elif self._stream.token.text in _WORD_OPERATORS:
            self._operator(state)
        elif following.kind is TokenKind.LEFT_PAREN:
            self._call(state)
        else:
            self._variable(state)

    def _variable(self, state: _Operands) -> None:
        name = self._stream.token.text
        try:
            path = self._to_path(name)
        except pointer.PointerError as error:
            self._stream.fail_at(self._stream.token.start, error)
        state.operands.append(Variable(name, path, self._stream.position()))

    def _call(self, state: _Operands) -> None:
        name, position = self._stream.token.text, self._stream.position()
        arguments: list[Expression] = []
        self._stream.next()
        while True:
            self._stream.next()
            argument = self.parse()
            if argument is None:
                break
            arguments.append(argument)
            if not self._stream.at(TokenKind.COMMA):
                break
        self._expect_right_parenthesis()
        if not self._stream.syntax.knows_function(name, len(arguments)):
            self._stream.fail(f"unknown function {name}")
        height = 1 + max((argument.height for argument in arguments), default=0)
        self._push(state, Call(name, tuple(arguments), position, height))

    def _parentheses(self, state: _Operands) -> None:
        self._stream.next()
        inner = self.parse()
        self._expect_right_parenthesis()
        if inner is None:
            self._stream.fail("empty expression in parentheses")
        state.operands.append(inner)

    def _expect_right_parenthesis(self) -> None:
        if not self._stream.at(TokenKind.RIGHT_PAREN):
            self._stream.expected("right parenthesis")

    def _operator(self, state: _Operands) -> None:
        operator = _Operator(self._stream.token.text, self._stream.position())
        while state.operators and state.operators[-1].yields_to(operator.text):
            self._apply(state)
        state.operators.append(operator)

    def _apply(self, state: _Operands) -> None:
        operator = state.operators.pop()
        if len(state.operands) < (1 if operator.text == "not" else 2):
            self._stream.fail("too few arguments")
        right = state.operands.pop()
        if operator.text == "not":
            self._push(state, Not(right, right.height + 1))
            return
        left = state.operands.pop()
        self._push(state, Binary(operator.text, left, right, operator.position, height_of(left, right)))

    def _push(self, state: _Operands, node: Call | Not | Binary) -> None:
        self._stream.check_depth(node.height)
        state.operands.append(node)
