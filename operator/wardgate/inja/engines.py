"""The two regex engines behind one interface: a tree compiled for Python's ``re`` or for RE2, matching bytes.

Rewriting can duplicate a group, and RE2 cannot nest large repetitions, so one group of the pattern may be several of
the engine's: the last one that took part counts. Captures made in an earlier round of a loop are kept, as libstdc++ and
RE2 do (ECMAScript would forget them): ``(?:(a)|(b))*`` on ``ab`` has both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import re2

from wardgate.inja.errors import ConfigError
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.linear import Use, is_provably_linear, repeated_looks
from wardgate.inja.regex_tree import Anchor, Chars, Choice, Group, Regex, Repeat

Span: TypeAlias = tuple[int, int]
NO_SPAN: Final[Span] = (-1, -1)
_RE2_REPEAT: Final = 1000
_MAX_PATTERN: Final = 64 * 1024
WORK_SHIFT: Final = 7
"""A step is worth two to the power of this, in work times bytes."""
_STEPS_OF_RE: Final = 6
_STEPS_OF_RE2: Final = 15
_ANCHORS: Final = {"^": r"\A", "b": r"\b", "B": r"\B"}


class Match(Protocol):
    """A match of either engine."""

    def span(self, group: int = 0, /) -> Span:
        """Begin and end of a group, or ``NO_SPAN``."""


class Matcher(Protocol):
    """A compiled expression of either engine."""

    def fullmatch(self, value: bytes, /) -> Match | None:
        """Match the whole value."""

    def match(self, value: bytes, /) -> Match | None:
        """Match at the beginning of the value."""

    def search(self, value: bytes, start: int, /) -> Match | None:
        """Find the next match from an offset on; the text before it still counts for ``^`` and word boundaries."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled expression, with the engine's groups that represent each group of the pattern."""

    matcher: Matcher
    groups: tuple[tuple[int, ...], ...]
    longest: int | None
    """Bytes of the longest value that the expression may be applied to; ``None`` for any."""
    work: int
    """The greatest cost of a byte of a value, in 128ths of a step."""
    match_steps: int
    """The cost of a match, beside the cost of its bytes."""
    searches_linearly: bool
    """Whether repeated searches add up to linear time; RE2 by itself promises that for a single search only."""

    def span(self, match: Match, group: int) -> Span:
        """Return the span of a group of the pattern, or ``NO_SPAN``."""
        found = NO_SPAN
        for number in self.groups[group]:
            span = match.span(number)
            found = span if span != NO_SPAN else found
        return found


def compile_tree(tree: Regex, *, groups: int, use: Use, limits: TemplateLimits) -> Compiled:
    """Choose an engine and compile. Raises ``ConfigError`` with the reason."""
    if is_provably_linear(tree, use):
        writer = _PatternWriter(end=r"\Z", max_repeat=None)
        pattern = re.compile(writer.pattern(tree).encode("ascii"))
        return Compiled(
            pattern,
            writer.mapping(groups),
            longest=None,
            work=(3 if use is Use.SEARCH else 1) + repeated_looks(tree, use),
            match_steps=_STEPS_OF_RE,
            searches_linearly=True,
        )
    writer = _PatternWriter(end=r"\z", max_repeat=_RE2_REPEAT)
    matcher = compile_re2(writer.pattern(tree).encode("ascii"), limits=limits)
    size = max(matcher.programsize, 1)
    return Compiled(
        matcher,
        writer.mapping(groups),
        longest=limits.regex_work // size,
        work=2 * size,
        match_steps=_STEPS_OF_RE2,
        searches_linearly=_is_bounded(tree),
    )


def compile_re2(pattern: bytes, *, limits: TemplateLimits, latin1: bool = True) -> Re2Regex:
    """Compile for RE2 within bounds of memory and size. Raises ``ConfigError`` with the reason."""
    options = re2.Options()
    options.max_mem = limits.regex_memory
    options.log_errors = False
    if latin1:
        options.encoding = re2.Options.Encoding.LATIN1
    try:
        compiled: Re2Regex = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown reason"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ConfigError(text) from error
    if compiled.programsize > limits.regex_program:
        msg = f"it needs more than {limits.regex_program} instructions"
        raise ConfigError(msg)
    return compiled


class Re2Regex(Matcher, Protocol):
    """An expression compiled by RE2's binding."""

    @property
    def groups(self) -> int:
        """Number of capturing groups."""

    @property
    def programsize(self) -> int:
        """Number of instructions."""


def _is_bounded(tree: Regex) -> bool:
    """Tell whether there is a longest match: a search then looks only a fixed distance beyond its match."""
    if isinstance(tree, Repeat):
        return tree.most is not None and _is_bounded(tree.inner)
    if isinstance(tree, Group):
        return _is_bounded(tree.inner)
    if isinstance(tree, Chars | Anchor):
        return True
    parts = tree.options if isinstance(tree, Choice) else tree.parts
    return all(_is_bounded(part) for part in parts)


class _PatternWriter:
    """Writes a tree in the syntax that ``re`` and RE2 share, and numbers the groups."""

    def __init__(self, *, end: str, max_repeat: int | None) -> None:
        self._end = end
        self._max_repeat = max_repeat
        self._written = 0
        self._numbers: list[int] = [0]

    def pattern(self, tree: Regex) -> str:
        return self._write(tree, 1)

    def mapping(self, groups: int) -> tuple[tuple[int, ...], ...]:
        """Return, for every group of the pattern, the engine's groups that represent it."""
        return tuple(
            tuple(number for number, index in enumerate(self._numbers) if index == group) for group in range(groups + 1)
        )

    def _write(self, tree: Regex, product: int) -> str:
        """``product`` is how often the repetitions around repeat this part; RE2 bounds that product."""
        text = self._text(tree, product)
        self._written += len(text)
        if self._written > _MAX_PATTERN * 4 or len(text) > _MAX_PATTERN:
            msg = "the expression is too large"
            raise ConfigError(msg)
        return text

    def _text(self, tree: Regex, product: int) -> str:
        if isinstance(tree, Chars):
            return _set_text(tree.mask)
        if isinstance(tree, Anchor):
            return _ANCHORS.get(tree.kind, self._end)
        if isinstance(tree, Group):
            return self._group(tree, product)
        if isinstance(tree, Choice):
            return f"(?:{'|'.join(self._write(option, product) for option in tree.options)})"
        if isinstance(tree, Repeat):
            return self._repeat(tree, product)
        return "".join(self._write(part, product) for part in tree.parts)

    def _group(self, tree: Group, product: int) -> str:
        if tree.index is not None:
            self._numbers.append(tree.index)
        return f"({'?:' if tree.index is None else ''}{self._write(tree.inner, product)})"

    def _repeat(self, tree: Repeat, product: int) -> str:
        lazy = "?" if tree.lazy else ""
        if tree.most is None and tree.least <= 1:
            return f"(?:{self._write(tree.inner, product)}){'+' if tree.least else '*'}{lazy}"
        times = tree.least if tree.most is None else tree.most
        if self._max_repeat is None or times * product <= self._max_repeat:
            most = "" if tree.most is None else tree.most
            inner = self._write(tree.inner, product * max(times, 1))
            return f"(?:(?:{inner}){{{tree.least},{most}}}{lazy})"
        return self._unrolled(tree, product)

    def _unrolled(self, tree: Repeat, product: int) -> str:
        """Write a repetition that is too large for RE2 as several smaller ones."""
        assert self._max_repeat is not None
        size = max(self._max_repeat // product, 1)
        pieces = [self._counted(tree, count, most=count, product=product) for count in _chunks(tree.least, size)]
        if tree.most is None:
            pieces.append(self._write(Repeat(tree.inner, 0, None, tree.lazy), product))
        else:
            rest = _chunks(tree.most - tree.least, size)
            pieces += [self._counted(tree, 0, most=count, product=product) for count in rest]
        return f"(?:{''.join(pieces)})"

    def _counted(self, tree: Repeat, least: int, *, most: int, product: int) -> str:
        if most == 1 and least == 1:
            return self._write(tree.inner, product)
        return self._write(Repeat(tree.inner, least, most, tree.lazy), product)


def _chunks(total: int, size: int) -> list[int]:
    whole, rest = divmod(total, size)
    return [size] * whole + ([rest] if rest else [])


def _set_text(mask: int) -> str:
    if mask == 0:
        return r"[^\x00-\xff]"
    codes = [code for code in range(256) if mask >> code & 1]
    if len(codes) == 1:
        return _byte_text(codes[0])
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return f"[{''.join(_range_text(first, last) for first, last in ranges)}]"


def _range_text(first: int, last: int) -> str:
    return _byte_text(first) if first == last else f"{_byte_text(first)}-{_byte_text(last)}"


def _byte_text(code: int) -> str:
    character = chr(code)
    return character if character.isascii() and character.isalnum() else f"\\x{code:02x}"
