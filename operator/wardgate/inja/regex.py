"""ECMAScript regular expressions as ``std::regex`` of libstdc++ reads them: text to a tree.

The language matches bytes: a set is a 256-bit mask, ``.`` is one byte that is no line end, classes are ASCII. The
parser keeps libstdc++'s differences from other dialects: a stray ``]`` or ``}`` is a literal, a stray ``{`` is an
error, quantifiers may follow one another, ``[]`` matches nothing and ``[^]`` everything, ``\\cX`` is just ``X``, ranges
compare signed bytes. Constructs without a linear-time match (back-references, look-ahead) are refused by name;
look-behind, named groups and inline flags do not exist in this grammar.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

from wardgate.inja.charsets import ANY, CLASSES, COLLATING_NAMES, CONTROL_ESCAPES, DOT, mask_of, mask_of_codes
from wardgate.inja.errors import ConfigError
from wardgate.inja.regex_tree import EMPTY, Anchor, Chars, Choice, Group, Regex, Repeat, sequence
from wardgate.text_codec import to_bytes

MAX_NESTING: Final = 100
MAX_REPEAT: Final = 100_000


@dataclass(frozen=True, slots=True)
class ParsedRegex:
    """A tree and the number of its capturing groups."""

    tree: Regex
    groups: int


def parse_regex(pattern: str) -> ParsedRegex:
    """Parse a pattern. Raises ``ConfigError`` with the reason only; the caller names the pattern."""
    parser = _RegexParser(to_bytes(pattern).decode("latin-1"))
    tree = parser.whole()
    return ParsedRegex(tree, parser.groups)


class _RegexParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._depth = 0
        self.groups = 0

    def whole(self) -> Regex:
        tree = self._choice()
        if self._pos < len(self._text):
            character = self._text[self._pos]
            reason = "')' without '('" if character == ")" else f"nothing before '{character}' to repeat"
            raise ConfigError(reason)
        return tree

    def _ahead(self, text: str) -> bool:
        return self._text.startswith(text, self._pos)

    def _take(self, text: str) -> bool:
        if not self._ahead(text):
            return False
        self._pos += len(text)
        return True

    def _choice(self) -> Regex:
        options = [self._alternative()]
        while self._take("|"):
            options.append(self._alternative())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _alternative(self) -> Regex:
        parts: list[Regex] = []
        while True:
            part = self._assertion()
            if part is None:
                part = self._atom()
                if part is None:
                    return sequence(parts) if parts else EMPTY
                part = self._quantified(part)
            parts.append(part)

    def _assertion(self) -> Regex | None:
        for text, kind in (("^", "^"), ("$", "$"), ("\\b", "b"), ("\\B", "B")):
            if self._take(text):
                return Anchor(kind)
        if self._ahead("(?=") or self._ahead("(?!"):
            msg = f"look-ahead '{self._text[self._pos : self._pos + 3]}' is not supported: it cannot be bounded"
            raise ConfigError(msg)
        return None

    def _atom(self) -> Regex | None:
        if self._pos >= len(self._text):
            return None
        character = self._text[self._pos]
        if character in "*+?{)|":
            return None
        self._pos += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket()
        return Chars(self._single(character))

    def _single(self, character: str) -> int:
        if character == ".":
            return DOT
        meaning = self._escape(in_bracket=False) if character == "\\" else character
        return meaning if isinstance(meaning, int) else mask_of(meaning)

    def _group(self) -> Regex:
        index = None
        if self._take("?"):
            if not self._take(":"):
                msg = f"'(?{self._text[self._pos : self._pos + 1]}' does not exist in this grammar"
                raise ConfigError(msg)
        else:
            self.groups += 1
            index = self.groups
        self._depth += 1
        if self._depth > MAX_NESTING:
            msg = f"groups are nested more than {MAX_NESTING} levels deep"
            raise ConfigError(msg)
        inner = self._choice()
        self._depth -= 1
        if not self._take(")"):
            msg = "'(' without ')'"
            raise ConfigError(msg)
        return Group(index, inner)

    def _quantified(self, part: Regex) -> Regex:
        count = 0
        while True:
            bounds = self._bounds()
            if bounds is None:
                return part
            count += 1
            if count > MAX_NESTING:
                msg = f"more than {MAX_NESTING} quantifiers in a row"
                raise ConfigError(msg)
            least, most = bounds
            part = Repeat(part, least, most, lazy=self._take("?"))

    def _bounds(self) -> tuple[int, int | None] | None:
        for text, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(text):
                return bounds
        return self._interval() if self._take("{") else None

    def _interval(self) -> tuple[int, int | None]:
        least = self._count()
        most: int | None = least
        if self._take(","):
            most = None if self._ahead("}") else self._count()
        if not self._take("}"):
            msg = "'{' without '}'"
            raise ConfigError(msg)
        if most is not None and most < least:
            msg = f"invalid range in '{{{least},{most}}}'"
            raise ConfigError(msg)
        return least, most

    def _count(self) -> int:
        start = self._pos
        while self._pos < len(self._text) and self._text[self._pos] in string.digits:
            self._pos += 1
        digits = self._text[start : self._pos]
        if not digits:
            msg = "invalid range in '{}'"
            raise ConfigError(msg)
        if len(digits) > 9 or int(digits) > MAX_REPEAT:
            msg = f"a repetition of more than {MAX_REPEAT} is too large"
            raise ConfigError(msg)
        return int(digits)

    def _escape(self, *, in_bracket: bool) -> str | int:
        """Read the text after a backslash: a character, or the mask of a class."""
        if self._pos >= len(self._text):
            msg = "nothing after '\\'"
            raise ConfigError(msg)
        character = self._text[self._pos]
        self._pos += 1
        if character in CONTROL_ESCAPES:
            return CONTROL_ESCAPES[character]
        if character.lower() in "dsw" and character.isascii():
            mask = CLASSES[character.lower()]
            return ANY & ~mask if character.isupper() else mask
        if character in "xu":
            return self._hexadecimal(2 if character == "x" else 4)
        if character == "c":
            return self._escaped_control()
        if character in string.digits or (in_bracket and character == "B"):
            return self._refuse_escape(character, in_bracket=in_bracket)
        return "\b" if in_bracket and character == "b" else character

    def _refuse_escape(self, character: str, *, in_bracket: bool) -> str:
        msg = (
            f"'\\{character}' has no meaning within '[...]'"
            if in_bracket
            else f"back-reference '\\{character}' is not supported: it cannot be matched in linear time"
        )
        raise ConfigError(msg)

    def _hexadecimal(self, count: int) -> str:
        digits = self._text[self._pos : self._pos + count]
        if len(digits) < count or not all(digit in string.hexdigits for digit in digits):
            msg = f"'\\{self._text[self._pos - 1]}' needs {count} hexadecimal digits"
            raise ConfigError(msg)
        self._pos += count
        return chr(int(digits, 16) % 256)

    def _escaped_control(self) -> str:
        if self._pos >= len(self._text):
            msg = "nothing after '\\c'"
            raise ConfigError(msg)
        self._pos += 1
        return self._text[self._pos - 1]

    # -- brackets

    def _bracket(self) -> Chars:
        negated = self._take("^")
        builder = _SetBuilder()
        while not self._take("]"):
            self._bracket_term(builder)
        return Chars(ANY & ~builder.mask if negated else builder.mask)

    def _bracket_term(self, builder: _SetBuilder) -> None:
        if self._take("-"):
            self._dash(builder)
            return
        term = self._bracket_item()
        if isinstance(term, int):
            builder.add_class(term)
        else:
            builder.add(term)

    def _dash(self, builder: _SetBuilder) -> None:
        if self._ahead("]") or builder.nothing_before:
            builder.add("-")
            return
        if builder.after_class:
            msg = "invalid start of a range in '[...]'"
            raise ConfigError(msg)
        end = "-" if self._take("-") else self._bracket_item(range_end=True)
        if isinstance(end, int):
            msg = "invalid end of a range in '[...]'"
            raise ConfigError(msg)
        builder.add_range(end)

    def _bracket_item(self, *, range_end: bool = False) -> str | int:
        if self._pos >= len(self._text):
            msg = "'[' without ']'"
            raise ConfigError(msg)
        for opening in ("[:", "[=", "[."):
            if self._take(opening):
                item = self._named(opening[1])
                # Any mask will do at the end of a range: the caller refuses a class there.
                return 0 if range_end else item
        character = self._text[self._pos]
        self._pos += 1
        return self._escape(in_bracket=True) if character == "\\" else character

    def _named(self, kind: str) -> str | int:
        end = self._text.find(f"{kind}]", self._pos)
        if end < 0:
            msg = f"'[{kind}' without '{kind}]'"
            raise ConfigError(msg)
        name = self._text[self._pos : end]
        self._pos = end + 2
        if kind == ":":
            return _class_named(name)
        character = COLLATING_NAMES.get(name)
        if character is None:
            msg = f"invalid collating element '{name}'"
            raise ConfigError(msg)
        return character if kind == "." else mask_of(character.lower() + character.upper())


class _SetBuilder:
    """Collects the members of a bracket expression, and remembers the member before a dash."""

    def __init__(self) -> None:
        self.mask = 0
        self._last: str | None = None
        self.after_class = False

    @property
    def nothing_before(self) -> bool:
        return self._last is None and not self.after_class

    def add(self, character: str) -> None:
        self.mask |= 1 << ord(character)
        self._last = character
        self.after_class = False

    def add_class(self, mask: int) -> None:
        self.mask |= mask
        self._last = None
        self.after_class = True

    def add_range(self, end: str) -> None:
        assert self._last is not None
        first, last = _signed(self._last), _signed(end)
        if first > last:
            msg = f"invalid range '{self._last}-{end}' in '[...]'"
            raise ConfigError(msg)
        self.mask |= mask_of_codes(code % 256 for code in range(first, last + 1))
        self._last = None


def _signed(character: str) -> int:
    """Bytes above 127 are negative in the original."""
    code = ord(character)
    return code - 256 if code > 127 else code


def _class_named(name: str) -> int:
    mask = CLASSES.get(name.lower())
    if mask is None:
        msg = f"invalid character class '[:{name}:]'"
        raise ConfigError(msg)
    return mask
