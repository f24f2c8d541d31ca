"""Extractors: one value taken from a header or a body, by regular expression, in Gloo's three modes.

* EXTRACT: the whole value must match; the result is a group of it, ``""`` without a match.
* SINGLE_REPLACE: the first match, searched for from the left, must be the whole value; then one group of it is replaced
literally.
* REPLACE_ALL: every match that is not empty is replaced; ``$1 $& $$ $` $'`` have a meaning in the replacement.

The two replacing modes leave a value without a match unchanged; a missing header gives ``""`` in all modes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from wardgate.inja.budget import StepBudget
from wardgate.inja.engines import NO_SPAN, WORK_SHIFT, Compiled, Match, compile_tree
from wardgate.inja.errors import ConfigError, LimitError
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.linear import Use, with_last_round, without_empty
from wardgate.inja.regex import ParsedRegex, parse_regex
from wardgate.inja.values import byte_length
from wardgate.text_codec import from_bytes, to_bytes

MODES: Final = ("EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL")

_Method: TypeAlias = Callable[[bytes, StepBudget], bytes]
_REFERENCE: Final = re.compile(rb"\$(?:(?P<group>[0-9]{1,2})|(?P<special>[$&`']))")


@dataclass(frozen=True, slots=True)
class CompiledExtractor:
    """A compiled extractor. It holds no state, so any number of requests may share it."""

    _method: _Method
    _limits: TemplateLimits

    def extract(self, value: str | None) -> str:
        """Apply the extractor to a text, within a budget of its own; ``None`` is a missing header. Raises
        ``LimitError``.
        """
        content = None if value is None else to_bytes(value)
        return self.extract_bytes(content, StepBudget(self._limits.steps))

    def extract_bytes(self, value: bytes | None, budget: StepBudget) -> str:
        """Apply the extractor to a header's first value or to a body; ``None`` is a missing header. Raises
        ``LimitError``.
        """
        if value is None:
            return ""
        content = self._method(value, budget)
        if not content.isascii():
            budget.charge(len(content) >> 7)
        return from_bytes(content)


def compile_extractor(
    *,
    regex: str,
    mode: str = "EXTRACT",
    subgroup: int = 0,
    replacement: str | None = None,
    limits: TemplateLimits = DEFAULT_LIMITS,
) -> CompiledExtractor:
    """Compile an extractor. Raises ``ConfigError`` in the words of the original filter."""
    try:
        parsed = _parse(regex, limits)
        _check(mode, subgroup, replacement=replacement, groups=parsed.groups)
        return CompiledExtractor(
            _method(parsed, mode, subgroup=subgroup, replacement=replacement or "", limits=limits), limits
        )
    except _BadRegexError as error:
        msg = f"Invalid regex '{regex}': {error}"
        raise ConfigError(msg) from error


class _BadRegexError(Exception):
    """The reason why an expression is refused."""


def _parse(regex: str, limits: TemplateLimits) -> ParsedRegex:
    try:
        if byte_length(regex) > limits.regex_bytes:
            msg = f"it is longer than {limits.regex_bytes} bytes"
            raise _BadRegexError(msg)
        return parse_regex(regex)
    except UnicodeEncodeError as no_text:
        msg = "it holds a character that is no text"
        raise _BadRegexError(msg) from no_text
    except ConfigError as error:
        raise _BadRegexError(error.message) from error


def _check(mode: str, subgroup: int, *, replacement: str | None, groups: int) -> None:
    if not 0 <= subgroup <= groups:
        msg = f"group {subgroup} requested for regex with only {groups} sub groups"
        raise ConfigError(msg)
    if mode not in MODES:
        msg = f"Unknown mode '{mode}'; there are {', '.join(MODES)}"
        raise ConfigError(msg)
    if mode == "EXTRACT":
        if replacement:
            msg = "EXTRACT mode set but replacement text provided"
            raise ConfigError(msg)
        return
    if replacement is None:
        msg = f"{mode} mode set but no replacement text provided"
        raise ConfigError(msg)
    if mode == "REPLACE_ALL" and subgroup:
        msg = "REPLACE_ALL mode set but subgroup is not 0"
        raise ConfigError(msg)


def _method(parsed: ParsedRegex, mode: str, *, subgroup: int, replacement: str, limits: TemplateLimits) -> _Method:
    text = to_bytes(replacement)
    try:
        tree = with_last_round(parsed.tree)
        if mode == "REPLACE_ALL":
            consuming = without_empty(tree)
            if consuming is None:
                return lambda value, _: value
            tree = consuming
        use = Use.SEARCH if mode == "REPLACE_ALL" else Use.WHOLE
        compiled = compile_tree(tree, groups=parsed.groups, use=use, limits=limits)
    except ConfigError as error:
        raise _BadRegexError(error.message) from error
    if mode == "REPLACE_ALL":
        return _guarded(compiled, _ReplaceAll(compiled, _Format(text, parsed.groups), limits))
    if mode == "SINGLE_REPLACE":
        return _guarded(compiled, _single_replace(compiled, subgroup, text=text))
    return _guarded(compiled, _extract(compiled, subgroup))


def _guarded(compiled: Compiled, method: _Method) -> _Method:
    """Charge for examining the whole value; refuse values that RE2 might need too long for."""
    longest, work = compiled.longest, compiled.work

    def apply(value: bytes, budget: StepBudget) -> bytes:
        if longest is not None and len(value) > longest:
            msg = f"A value of {len(value)} bytes is too long for this regex; it takes up to {longest}."
            raise LimitError(msg, sealed=f"A value is too long for this regex; it takes up to {longest} bytes.")
        steps = len(value) * work >> WORK_SHIFT
        if steps:
            budget.charge(steps)
        return method(value, budget)

    return apply


def _extract(compiled: Compiled, subgroup: int) -> _Method:
    fullmatch = compiled.matcher.fullmatch

    def extract(value: bytes, _: StepBudget) -> bytes:
        match = fullmatch(value)
        if match is None:
            return b""
        start, end = compiled.span(match, subgroup)
        return value[start:end] if start >= 0 else b""

    return extract


def _single_replace(compiled: Compiled, subgroup: int, *, text: bytes) -> _Method:
    """A group that took no part counts as an empty one at the end of the value, as in the original."""
    match_beginning = compiled.matcher.match

    def replace(value: bytes, _: StepBudget) -> bytes:
        match = match_beginning(value)
        if match is None or match.span()[1] != len(value):
            return value
        span = compiled.span(match, subgroup)
        start, end = (len(value), len(value)) if span == NO_SPAN else span
        return value[:start] + text + value[end:]

    return replace


class _Format:
    """A replacement text with its references, read once."""

    def __init__(self, text: bytes, groups: int) -> None:
        self._parts: list[bytes | int | str] = []
        end = 0
        for found in _REFERENCE.finditer(text):
            self._parts.append(text[end : found.start()])
            end = found.end()
            if found["group"] is None:
                special = found["special"].decode()
                self._parts.append(b"$" if special == "$" else 0 if special == "&" else special)
            elif int(found["group"]) <= groups:
                self._parts.append(int(found["group"]))
        self._parts.append(text[end:])

    def pieces(self, compiled: Compiled, match: Match, *, value: bytes, previous: int) -> list[bytes]:
        """Return the replacement of one match; ``previous`` is the end of the match before it."""
        pieces = []
        for part in self._parts:
            if isinstance(part, bytes):
                pieces.append(part)
            elif part == "`":
                pieces.append(value[previous : match.span()[0]])
            elif part == "'":
                pieces.append(value[match.span()[1] :])
            else:
                assert isinstance(part, int)
                start, end = compiled.span(match, part)
                pieces.append(value[start:end] if start >= 0 else b"")
        return pieces


@dataclass(frozen=True, slots=True)
class _ReplaceAll:
    """Searches through a value, within bounds for work and for the size of the result."""

    compiled: Compiled
    format: _Format
    limits: TemplateLimits

    def __call__(self, value: bytes, budget: StepBudget) -> bytes:
        pieces: list[bytes] = []
        room = len(value) + self.limits.output_bytes
        work = 0
        start = 0
        while True:
            if not self.compiled.searches_linearly:
                work += len(value) - start
                budget.charge((len(value) - start) * self.compiled.work >> WORK_SHIFT)
                if work > self.limits.replace_work:
                    msg = f"Replacing all matches needs to look at more than {self.limits.replace_work} bytes."
                    raise LimitError(msg)
            match = self.compiled.matcher.search(value, start)
            if match is None:
                break
            budget.charge(self.compiled.match_steps)
            begin, end = match.span()
            new = [value[start:begin], *self.format.pieces(self.compiled, match, value=value, previous=start)]
            room -= sum(map(len, new))
            if room < 0:
                msg = f"Replacing all matches adds more than {self.limits.output_bytes} bytes."
                raise LimitError(msg)
            pieces += new
            start = end
        return b"".join([*pieces, value[start:]])
