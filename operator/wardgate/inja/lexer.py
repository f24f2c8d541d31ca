"""Template text to tokens, one call a token.

The lexer reads the template's bytes as Latin-1, one character a byte, because positions in messages count bytes;
``decode`` turns a slice back into text. White space control, line statements and comments are decided here.

Only a minus sign depends on the tokens before it. The library keeps one flag for it that survives from tag to tag. This
lexer keeps the same flag, and overrules it only where the meaning is beyond doubt: a digit after a minus makes a number
at the start of an expression and after an operator, a keyword, a comma or an opening bracket; after an operand a minus
subtracts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from wardgate.text_codec import from_bytes, to_bytes

_BOM: Final = "\xef\xbb\xbf"
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS: Final = frozenset("0123456789")
_ID_START: Final = _LETTERS | frozenset("~_@$")
_ID_BODY: Final = _LETTERS | _DIGITS | frozenset("./_-")
_BLANKS: Final = " \t"
_SPACES: Final = " \t\r\n"
_WORD_OPERATORS: Final = frozenset({"and", "or", "in", "not"})


class TokenKind(Enum):
    """The kinds of tokens."""

    TEXT = auto()
    EXPRESSION_OPEN = auto()
    EXPRESSION_CLOSE = auto()
    STATEMENT_OPEN = auto()
    STATEMENT_CLOSE = auto()
    LINE_OPEN = auto()
    LINE_CLOSE = auto()
    COMMENT_OPEN = auto()
    COMMENT_CLOSE = auto()
    ID = auto()
    NUMBER = auto()
    STRING = auto()
    OPERATOR = auto()
    COMMA = auto()
    COLON = auto()
    LEFT_PAREN = auto()
    RIGHT_PAREN = auto()
    LEFT_BRACKET = auto()
    RIGHT_BRACKET = auto()
    LEFT_BRACE = auto()
    RIGHT_BRACE = auto()
    UNKNOWN = auto()
    EOF = auto()


_SINGLE: Final = {
    **dict.fromkeys("+*/^%.", TokenKind.OPERATOR),
    ",": TokenKind.COMMA,
    ":": TokenKind.COLON,
    "(": TokenKind.LEFT_PAREN,
    ")": TokenKind.RIGHT_PAREN,
    "[": TokenKind.LEFT_BRACKET,
    "]": TokenKind.RIGHT_BRACKET,
    "{": TokenKind.LEFT_BRACE,
    "}": TokenKind.RIGHT_BRACE,
    ">": TokenKind.OPERATOR,
    "<": TokenKind.OPERATOR,
}
_COMPARISONS: Final = frozenset({">=", "<=", "==", "!="})
_CLOSERS: Final = frozenset({TokenKind.RIGHT_PAREN, TokenKind.RIGHT_BRACKET, TokenKind.RIGHT_BRACE})
_OPERANDS: Final = _CLOSERS | {TokenKind.ID, TokenKind.NUMBER, TokenKind.STRING}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the template; ``text`` is Latin-1, ``start`` its offset in bytes after a byte order mark."""

    kind: TokenKind
    text: str
    start: int

    def describe(self) -> str:
        """Name the token for a message."""
        names = {TokenKind.TEXT: "<text>", TokenKind.LINE_CLOSE: "<eol>", TokenKind.EOF: "<eof>"}
        return names.get(self.kind) or decode(self.text)


class _State(Enum):
    TEXT = auto()
    OPENING = auto()
    EXPRESSION = auto()
    STATEMENT = auto()
    LINE = auto()
    COMMENT = auto()


@dataclass(frozen=True, slots=True)
class _Opening:
    """A way into a tag, or the longer one of the same family: ``{{`` and ``{{-``."""

    text: str
    kind: TokenKind
    body: _State
    strips: bool = False


_OPENINGS: Final = {
    "{{-": _Opening("{{-", TokenKind.EXPRESSION_OPEN, _State.EXPRESSION, strips=True),
    "{{": _Opening("{{", TokenKind.EXPRESSION_OPEN, _State.EXPRESSION),
    "{%+": _Opening("{%+", TokenKind.STATEMENT_OPEN, _State.STATEMENT),
    "{%-": _Opening("{%-", TokenKind.STATEMENT_OPEN, _State.STATEMENT, strips=True),
    "{%": _Opening("{%", TokenKind.STATEMENT_OPEN, _State.STATEMENT),
    "{#-": _Opening("{#-", TokenKind.COMMENT_OPEN, _State.COMMENT, strips=True),
    "{#": _Opening("{#", TokenKind.COMMENT_OPEN, _State.COMMENT),
    "##": _Opening("##", TokenKind.LINE_OPEN, _State.LINE),
}
_HEAD: Final = re.compile(r"\{\{-?|\{%[-+]?|\{#-?|^##", re.MULTILINE)
_CLOSES: Final = {
    _State.EXPRESSION: ("}}", TokenKind.EXPRESSION_CLOSE),
    _State.STATEMENT: ("%}", TokenKind.STATEMENT_CLOSE),
    _State.LINE: ("\n", TokenKind.LINE_CLOSE),
}


def decode(latin: str) -> str:
    """Turn a slice of the template back into text."""
    return latin if latin.isascii() else from_bytes(latin.encode("latin-1"))


class Lexer:
    """Reads one template. ``position`` is the line and column of the newest token."""

    def __init__(self, source: str, *, advanced: bool) -> None:
        content = to_bytes(source).decode("latin-1")
        self._text = content.removeprefix(_BOM)
        self._bom_bytes = len(content) - len(self._text)
        self._newlines = [found.start() for found in re.finditer("\n", self._text)]
        self._id_body = _ID_BODY | {"~"} if advanced else _ID_BODY
        self._state = _State.TEXT
        self._opening = _OPENINGS["{{"]
        self._pos = 0
        self._start = 0
        self._minus_subtracts = False
        self._previous: Token | None = None
        self._after_if = False

    def position(self) -> tuple[int, int]:
        """Line and column, from 1, of the newest token."""
        return self._position_of(self._start)

    def node_position(self, offset: int) -> tuple[int, int]:
        """Line and column of a token that became a node: as in the library, they count a byte order mark."""
        line, column = self._position_of(offset)
        return line, column + self._bom_bytes if line == 1 else column

    def _position_of(self, offset: int) -> tuple[int, int]:
        line = bisect_left(self._newlines, offset)
        return line + 1, offset - (self._newlines[line - 1] if line else -1)

    def slice(self, start: int, end: int) -> str:
        """Return the text between two offsets."""
        return decode(self._text[start:end])

    def scan(self) -> Token:
        """Return the next token; at the end of the text ``EOF``, again and again."""
        self._start = self._pos
        while self._start < len(self._text):
            if self._state is _State.TEXT:
                token = self._scan_text()
                if token is not None:
                    return token
            elif self._state is _State.OPENING:
                return self._scan_opening()
            elif self._state is _State.COMMENT:
                return self._scan_comment()
            else:
                return self._scan_body(*_CLOSES[self._state])
        return self._token(TokenKind.EOF)

    def _token(self, kind: TokenKind) -> Token:
        return Token(kind, self._text[self._start : self._pos], self._start)

    def _scan_text(self) -> Token | None:
        """Read up to the next opening. ``None`` if no text stands before it."""
        self._pos, opening = self._find_opening(self._pos)
        if opening is None:
            return self._token(TokenKind.TEXT)
        self._state = _State.OPENING
        self._opening = opening
        text = self._text[self._start : self._pos]
        if opening.strips:
            text = _without_blank_last_line(text)
        return Token(TokenKind.TEXT, text, self._start) if text else None

    def _find_opening(self, pos: int) -> tuple[int, _Opening | None]:
        found = _HEAD.search(self._text, pos)
        return (found.start(), _OPENINGS[found.group()]) if found else (len(self._text), None)

    def _scan_opening(self) -> Token:
        self._state = self._opening.body
        self._pos += len(self._opening.text)
        self._previous = None
        self._after_if = False
        return self._token(self._opening.kind)

    def _scan_comment(self) -> Token:
        end = self._text.find("#}", self._pos)
        if end < 0:
            self._pos = len(self._text)
            return self._token(TokenKind.EOF)
        self._state = _State.TEXT
        self._pos = end + 2
        token = self._token(TokenKind.COMMENT_CLOSE)
        if self._text[end - 1] == "-":
            self._skip_blanks_and_one_newline()
        return token

    def _skip_blanks_and_one_newline(self) -> None:
        self._skip(_BLANKS)
        for newline in ("\r\n", "\n", "\r"):
            if self._text.startswith(newline, self._pos):
                self._pos += len(newline)
                break

    def _skip(self, characters: str) -> None:
        while self._pos < len(self._text) and self._text[self._pos] in characters:
            self._pos += 1

    def _scan_body(self, close: str, close_kind: TokenKind) -> Token:
        while self._start < len(self._text):
            if close_kind is not TokenKind.LINE_CLOSE and self._text.startswith(f"-{close}", self._start):
                self._pos = self._start + len(close) + 1
                token = self._closed(close_kind)
                self._skip(_SPACES)
                return token
            if self._text.startswith(close, self._start):
                self._pos = self._start + len(close)
                return self._closed(close_kind)
            if self._text[self._start] not in _SPACES:
                token = self._scan_token()
                self._remember(token)
                return token
            self._start += 1
        self._pos = self._start
        return self._token(TokenKind.EOF)

    def _closed(self, kind: TokenKind) -> Token:
        self._state = _State.TEXT
        return self._token(kind)

    def _scan_token(self) -> Token:
        character = self._text[self._start]
        self._pos = self._start + 1
        subtracts, self._minus_subtracts = self._minus_subtracts, False
        if character in _ID_START:
            self._minus_subtracts = True
            return self._scan_while(TokenKind.ID)
        if character == "-":
            return self._scan_minus(subtracts=subtracts)
        if character == '"':
            return self._scan_string()
        if character in _DIGITS:
            self._minus_subtracts = True
            return self._scan_number()
        if self._text[self._start : self._start + 2] in _COMPARISONS:
            self._pos += 1
            return self._token(TokenKind.OPERATOR)
        kind = _SINGLE.get(character, TokenKind.UNKNOWN)
        self._minus_subtracts = kind in _CLOSERS
        return self._token(kind)

    def _scan_while(self, kind: TokenKind) -> Token:
        while self._pos < len(self._text) and self._text[self._pos] in self._id_body:
            self._pos += 1
        return self._token(kind)

    def _scan_minus(self, *, subtracts: bool) -> Token:
        digit_follows = self._text[self._pos : self._pos + 1] in _DIGITS
        if self._stands_after_operand():
            assert self._previous is not None
            if self._previous.kind is TokenKind.STRING:
                rest = self._text[self._pos :].lstrip(_SPACES)[:1]
                subtracts = rest in _DIGITS
            else:
                subtracts = True
        elif digit_follows:
            subtracts = False
        return self._token(TokenKind.OPERATOR) if subtracts else self._scan_number()

    def _stands_after_operand(self) -> bool:
        previous = self._previous
        if previous is None or previous.kind not in _OPERANDS:
            return False
        return not (previous.kind is TokenKind.ID and (previous.text in _WORD_OPERATORS or self._after_if))

    def _remember(self, token: Token) -> None:
        """Remember the token that a minus sign might follow; ``if`` is a keyword only at the head of a statement."""
        before = self._previous
        heads = before is None or (before.text == "else" and self._after_if)
        keyword = token.kind is TokenKind.ID and token.text in ("if", "else")
        self._after_if = self._state is not _State.EXPRESSION and heads and keyword
        self._previous = token

    def _scan_number(self) -> Token:
        """Take every character that may belong to a number; the JSON parser decides later."""
        text = self._text
        while self._pos < len(text):
            character = text[self._pos]
            sign_of_exponent = character in "+-" and text[self._pos - 1] in "eE"
            if not (character in _DIGITS or character in ".eE" or sign_of_exponent):
                break
            self._pos += 1
        return self._token(TokenKind.NUMBER)

    def _scan_string(self) -> Token:
        escaped = False
        while self._pos < len(self._text):
            character = self._text[self._pos]
            self._pos += 1
            if character == '"' and not escaped:
                break
            escaped = character == "\\" and not escaped
        return self._token(TokenKind.STRING)


def _without_blank_last_line(text: str) -> str:
    """Drop the blanks at the end, if only blanks follow the last newline (or the text's beginning)."""
    rest = text.rstrip(_BLANKS)
    return rest if not rest or rest[-1] in "\r\n" else text
