"""Statements: tokens to the tree of a whole template.

Like the library, the parser keeps one stack per kind of statement, so that ``{% endfor %}`` may come before the ``{%
endif %}`` of an ``if`` inside the loop; the following text then belongs to the body that was open when the ending
statement began.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.inja.expression_parser import ExpressionParser, Syntax, TokenStream
from wardgate.inja.lexer import TokenKind, decode
from wardgate.inja.nodes import Block, Expression, For, If, Inclusion, Print, Set, Statement, Text


@dataclass(frozen=True, slots=True)
class _Outer:
    """The body around a statement and its depth: the parser continues there when the statement ends."""

    body: list[Statement]
    level: int


def parse(source: str, syntax: Syntax) -> list[Statement]:
    """Parse a template. Raises ``ParseError``."""
    return _TemplateParser(source, syntax).template()


class _TemplateParser:
    def __init__(self, source: str, syntax: Syntax) -> None:
        self._stream = TokenStream(source, syntax)
        self._expressions = ExpressionParser(self._stream)
        self._root: list[Statement] = []
        self._body = self._root
        self._level = 0
        self._ifs: list[tuple[If, _Outer]] = []
        self._fors: list[_Outer] = []
        self._blocks: list[_Outer] = []
        self._block_names: set[str] = set()

    def _descend(self, body: list[Statement]) -> _Outer:
        """Continue in the body of a statement; return the body to continue in after it."""
        outer = _Outer(self._body, self._level)
        self._body, self._level = body, self._level + 1
        self._stream.check_depth(self._level)
        return outer

    def _return_to(self, outer: _Outer) -> None:
        self._body, self._level = outer.body, outer.level

    def template(self) -> list[Statement]:
        """Parse up to the end of the text."""
        self._stream.next()
        while not self._stream.at(TokenKind.EOF):
            self._part()
            self._stream.next()
        if self._ifs:
            self._stream.fail("unmatched if")
        if self._fors:
            self._stream.fail("unmatched for")
        return self._root

    def _part(self) -> None:
        token = self._stream.token
        if token.kind is TokenKind.TEXT:
            self._body.append(Text(decode(token.text)))
        elif token.kind is TokenKind.STATEMENT_OPEN:
            self._stream.next()
            self._statement_tag(TokenKind.STATEMENT_CLOSE)
        elif token.kind is TokenKind.LINE_OPEN:
            self._stream.next()
            self._statement_tag(TokenKind.LINE_CLOSE)
        elif token.kind is TokenKind.EXPRESSION_OPEN:
            self._stream.next()
            position = self._stream.position()
            self._body.append(Print(self._expressions.parse(), position))
            if not self._stream.at(TokenKind.EXPRESSION_CLOSE):
                self._stream.expected("expression close")
        else:
            self._stream.next()
            if not self._stream.at(TokenKind.COMMENT_CLOSE):
                self._stream.expected("comment close")

    def _statement_tag(self, close: TokenKind) -> None:
        if not self._stream.at(TokenKind.ID) or not self._statement(self._stream.token.text, close):
            self._stream.expected("statement")
        if self._stream.at(close) or (close is TokenKind.LINE_CLOSE and self._stream.at(TokenKind.EOF)):
            return
        name = "line statement" if close is TokenKind.LINE_CLOSE else "statement"
        self._stream.expected(f"{name} close")

    def _statement(self, word: str, close: TokenKind) -> bool:
        """Parse a statement; ``False`` for an unknown word, or an expression that does not reach the end of the tag."""
        with_expression = {"if": self._if, "else": self._else, "for": self._for, "set": self._set}
        if word in with_expression:
            return with_expression[word](close)
        plain = {
            "endif": self._endif,
            "endfor": self._endfor,
            "block": self._block,
            "endblock": self._endblock,
            "include": self._inclusion,
            "extends": self._inclusion,
        }
        if word not in plain:
            return False
        plain[word]()
        return True

    def _condition(self, close: TokenKind) -> tuple[Expression | None, bool]:
        expression = self._expressions.parse()
        return expression, self._stream.at(close)

    def _if(self, close: TokenKind) -> bool:
        self._stream.next()
        return self._open_if(close, chained=False)

    def _open_if(self, close: TokenKind, *, chained: bool) -> bool:
        condition, complete = self._condition(close)
        node = If(condition, chained)
        continues_chain = chained and not self._body
        self._body.append(node)
        if continues_chain:
            self._level -= 1  # a chain is as deep as one ``if``, however long it is
        outer = self._descend(node.then)
        self._ifs.append((node, outer))
        return complete

    def _else(self, close: TokenKind) -> bool:
        if not self._ifs:
            self._stream.fail("else without matching if")
        self._stream.next()
        node, outer = self._ifs[-1]
        self._body, self._level = node.otherwise, outer.level + 1
        if self._stream.at(TokenKind.ID) and self._stream.token.text == "if":
            self._stream.next()
            return self._open_if(close, chained=True)
        return True

    def _endif(self) -> None:
        if not self._ifs:
            self._stream.fail("endif without matching if")
        while self._ifs[-1][0].chained:
            self._ifs.pop()
        self._stream.next()
        self._return_to(self._ifs.pop()[1])

    def _for(self, close: TokenKind) -> bool:
        self._stream.next()
        value, key = self._loop_variable(), None
        if self._stream.at(TokenKind.COMMA):
            self._stream.next()
            key, value = value, self._loop_variable()
        position = self._stream.position()
        if not self._stream.at(TokenKind.ID) or self._stream.token.text != "in":
            self._stream.expected("'in'")
        self._stream.next()
        subject, complete = self._condition(close)
        node = For(key, value, subject, position)
        self._body.append(node)
        self._fors.append(self._descend(node.body))
        return complete

    def _loop_variable(self) -> str:
        if not self._stream.at(TokenKind.ID):
            self._stream.expected("id")
        name = self._stream.token.text
        self._stream.next()
        return name

    def _endfor(self) -> None:
        if not self._fors:
            self._stream.fail("endfor without matching for")
        self._stream.next()
        self._return_to(self._fors.pop())

    def _set(self, close: TokenKind) -> bool:
        self._stream.next()
        if not self._stream.at(TokenKind.ID):
            self._stream.expected("variable name")
        name = self._stream.token.text
        self._stream.next()
        if self._stream.token.text != "=":
            self._stream.expected("'='")
        self._stream.next()
        expression, complete = self._condition(close)
        self._body.append(Set(name, expression))
        return complete

    def _block(self) -> None:
        self._stream.next()
        if not self._stream.at(TokenKind.ID):
            self._stream.expected("block name")
        name = self._stream.token.text
        if name in self._block_names:
            self._stream.fail(f"block with the name '{name}' does already exist")
        self._block_names.add(name)
        node = Block(name)
        self._body.append(node)
        self._blocks.append(self._descend(node.body))
        self._stream.next()

    def _endblock(self) -> None:
        if not self._blocks:
            self._stream.fail("endblock without matching block")
        self._stream.next()
        self._return_to(self._blocks.pop())

    def _inclusion(self) -> None:
        word = self._stream.token.text
        self._stream.next()
        if not self._stream.at(TokenKind.STRING):
            self._stream.expected("string")
        if len(self._stream.token.text) < 2:
            self._stream.expected("filename")
        self._body.append(Inclusion(word, decode(self._stream.token.text[1:-1]), self._stream.position()))
        self._stream.next()
