"""A group's JSON, read in parts; a part that stands there word for word as last time is not read again.

The parts are the members of some lists, named by a ``Shape``; they may have such lists themselves. A JSON object ends
where it ends, whatever follows, so that text which begins with an object's text begins with that object: comparing
takes the place of parsing. The result of a part is kept with it (``Part.once``), and its JSON is dropped.

Only text in the canonical form is read by parts. Everything else, and whatever is no JSON, goes the plain way
(``text.parse``), with the same outcome: the same parts, none of them taken over, or the same error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar, cast

from wardgate.wire.text import DECODER, parse, text_of

T = TypeVar("T")

Shape: TypeAlias = Mapping[str, "Shape"]
"""The names of an object's lists whose members are parts, with the shape of those."""
Lists: TypeAlias = Mapping[str, "Sequence[Part]"]

_NO_LISTS: Final[Lists] = {}


class Part:
    """One value. Its JSON holds parts in place of the members of the lists that its shape names."""

    __slots__ = ("_made", "lists", "text", "value")

    def __init__(self, value: object, *, text: str = "", lists: Lists = _NO_LISTS) -> None:
        self.text = text
        """The JSON as text; empty if it was read the plain way."""
        self.lists = lists
        self.value = value
        """The JSON, until something was made of it."""
        self._made: object = None

    @property
    def is_new(self) -> bool:
        """Whether nothing was made of it yet."""
        return self._made is None

    def once(self, make: Callable[[object], T]) -> T:
        """The result of ``make`` for the JSON, made only once. It depends on nothing else and is not None."""
        if self._made is None:
            self._made = make(self.value)
            self.value = None
        return cast("T", self._made)


def read_parts(data: bytes, shape: Shape, *, last: Part | None = None) -> Part:
    """Read a group; ``last`` is what was read before it. Raises ``WireError`` for what ``parse`` raises it for."""
    try:
        part = _Reader(text_of(data)).read_all(shape, _NO_LISTS if last is None else last.lists)
    except (ValueError, RecursionError):
        part = None
    return part or Part(_divided(parse(data), shape))


def _divided(value: object, shape: Shape) -> object:
    """JSON with its parts as ``Part``."""
    if type(value) is not dict or not shape:
        return value
    return {name: _divided_list(one, shape[name]) if name in shape else one for name, one in value.items()}


def _divided_list(value: object, shape: Shape) -> object:
    return [Part(_divided(one, shape)) for one in value] if type(value) is list else value


class _Reader:
    """Reads one text. Raises ``ValueError`` where it is not as expected."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_all(self, shape: Shape, last: Lists) -> Part:
        """The object that is all of the text."""
        part = self.read(0, shape, last=last)
        if len(part.text) == len(self._text):
            return part
        msg = "something follows"
        raise ValueError(msg)

    def read(self, start: int, shape: Shape, *, last: Lists) -> Part:
        """The object at ``start``."""
        members: dict[str, object] = {}
        lists: dict[str, Sequence[Part]] = {}
        at = self._after("{", start)
        while not self._text.startswith("}", at):
            name, at = DECODER.raw_decode(self._text, self._after(",", at) if members else at)
            at = self._after(":", at)
            if type(name) is not str or name in members:
                msg = "a name that is none, or stands twice"
                raise ValueError(msg)
            if name in shape and self._text.startswith("[", at):
                members[name], at = self._list(at + 1, shape[name], last=last.get(name, ()))
                lists[name] = cast("list[Part]", members[name])
            else:
                members[name], at = DECODER.raw_decode(self._text, at)
        return Part(members, text=self._text[start : at + 1], lists=lists)

    def _list(self, at: int, shape: Shape, *, last: Sequence[Part]) -> tuple[list[Part], int]:
        past = _Past(last)
        parts: list[Part] = []
        while not self._text.startswith("]", at):
            at = self._after(",", at) if parts else at
            part = past.at(self._text, at) or past.known(self._part(at, shape, last=past.here))
            parts.append(part)
            at += len(part.text)
        return parts, at + 1

    def _part(self, start: int, shape: Shape, *, last: Lists) -> Part:
        if shape and self._text.startswith("{", start):
            return self.read(start, shape, last=last)
        value, end = DECODER.raw_decode(self._text, start)
        return Part(value, text=self._text[start:end])

    def _after(self, mark: str, at: int) -> int:
        if self._text.startswith(mark, at):
            return at + 1
        msg = f"{mark} expected"
        raise ValueError(msg)


class _Past:
    """A list as it stood last time, and how far in it the reading is."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._place = 0
        self._places: dict[str, int] | None = None

    def at(self, text: str, start: int) -> Part | None:
        """The part whose turn it is, if it stands there again."""
        part = self._parts[self._place] if self._place < len(self._parts) else None
        if part is None or not text.startswith(part.text, start):
            return None
        self._place += 1
        return part

    @property
    def here(self) -> Lists:
        """The lists of the part whose place a new one takes, as far as can be told."""
        return self._parts[self._place].lists if self._place < len(self._parts) else _NO_LISTS

    def known(self, part: Part) -> Part:
        """The same part as last time if it stood elsewhere in the list; the reading goes on from there.

        Else the one given, which is taken to stand in the place of the one whose turn it was.
        """
        if self._places is None:
            self._places = {one.text: place for place, one in enumerate(self._parts)}
        place = self._places.get(part.text)
        self._place = (self._place if place is None else place) + 1
        return part if place is None else self._parts[place]
