"""One YAML document as plain Python objects, with the place of every field if asked.

Built from the parser's events rather than by a ready-made loader, for what a loader does not give: places, duplicate
keys as errors, Kubernetes' reading of scalars, what was read before a document broke off, and bounds. Nothing here
recurses, so nesting costs no stack; aliases share their target and their expanded size is counted, so that a few lines
cannot stand for a billion nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

from wardgate.problems import FieldPath
from wardgate.standalone.yaml.position import Position
from wardgate.standalone.yaml.scalars import resolve

MAX_DEPTH: Final = 100
MAX_ALIASED_NODES: Final = 100_000
"""Nodes that aliases may add to one document."""

_TAG = "tag:yaml.org,2002:"
_MERGING: Final = "\0<<"
"""Stands in ``_Frame.key`` for an unquoted ``<<``; no readable key looks like it."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BrokenYamlError(Exception):
    """The document ends here. ``message`` and ``remedy`` are sentences; neither quotes the document."""

    def __init__(self, message: str, remedy: str, *, place: Position) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.place = place


Positions: TypeAlias = dict[FieldPath, Position]


@dataclass(slots=True)
class _Frame:
    """A mapping or a list that is being filled. ``key`` None: a mapping that waits for its next key."""

    container: dict[str, object] | list[object]
    path: FieldPath
    anchor: str | None
    key: str | None = None
    merged: list[object] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class _Anchored:
    value: object
    size: int


class TreeBuilder:
    """Feed it one document's text with ``build``. ``root`` holds what was read, also after ``BrokenYamlError``."""

    def __init__(self, *, positions: Positions | None = None) -> None:
        self.root: object = None
        self._positions = positions
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._open_anchors: set[str] = set()
        self._aliased = 0
        self._handlers: dict[type[yaml.Event], Callable[..., None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._open_mapping,
            yaml.SequenceStartEvent: self._open_sequence,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    def build(self, text: str) -> object:
        """Return the document; None for an empty one."""
        handlers = self._handlers
        for event in yaml.parse(text, Loader=_LOADER):
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        return self.root

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.container, dict):
            self._take_key(frame, event)
            return
        value = _scalar_value(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._place(event, value, size=1)

    def _take_key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        assert isinstance(frame.container, dict)
        if event.value == "<<" and event.implicit[0]:
            frame.key = _MERGING
            return
        key = _key_text(event)
        if key in frame.container:
            raise BrokenYamlError(
                f'The key "{_shorten(key)}" stands twice in one mapping.',
                "Remove one of the two.",
                place=_place_of(event),
            )
        frame.key = key
        frame.container[key] = None
        if self._positions is not None:
            self._positions[(*frame.path, key)] = _place_of(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._refuse_as_key(event)
        if event.anchor in self._open_anchors:
            raise BrokenYamlError(
                "An alias stands inside its own anchor.", "Write the value out.", place=_place_of(event)
            )
        target = self._anchors.get(event.anchor or "")
        if target is None:
            raise BrokenYamlError(
                "An alias (*) has no anchor (&) before it.",
                "Put text that starts with * in quotes.",
                place=_place_of(event),
            )
        self._aliased += target.size
        if self._aliased > MAX_ALIASED_NODES:
            raise BrokenYamlError(
                f"The aliases of this document stand for more than {MAX_ALIASED_NODES} values.",
                "Write them out, or split the document.",
                place=_place_of(event),
            )
        self._place(event, target.value, size=target.size)

    def _open_mapping(self, event: yaml.MappingStartEvent) -> None:
        self._open(event, {}, tag="map")

    def _open_sequence(self, event: yaml.SequenceStartEvent) -> None:
        self._open(event, [], tag="seq")

    def _open(self, event: yaml.CollectionStartEvent, container: dict[str, object] | list[object], *, tag: str) -> None:
        self._refuse_as_key(event)
        if event.tag not in (None, "!", _TAG + tag):
            raise _unknown_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            raise BrokenYamlError(
                f"The document nests deeper than {MAX_DEPTH} levels.", "Flatten it.", place=_place_of(event)
            )
        path = self._place(event, container, size=0)
        self._stack.append(_Frame(container, path, event.anchor))
        if event.anchor is not None:
            self._open_anchors.add(event.anchor)

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._stack.pop()
        if isinstance(frame.container, dict):
            for source in frame.merged:
                _merge(frame.container, source, event=event)
        if frame.anchor is not None:
            self._open_anchors.discard(frame.anchor)
            self._anchors[frame.anchor] = _Anchored(frame.container, frame.size)
        if self._stack:
            self._stack[-1].size += frame.size

    def _place(self, event: yaml.NodeEvent, value: object, *, size: int) -> FieldPath:
        """Put a finished or newly opened value where it belongs; return its path."""
        if not self._stack:
            self.root = value
            if self._positions is not None:
                self._positions[()] = _place_of(event)
            return ()
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.container, list):
            path = (*frame.path, len(frame.container))
            frame.container.append(value)
            if self._positions is not None:
                self._positions[path] = _place_of(event)
            return path
        assert frame.key is not None
        path = (*frame.path, frame.key)
        if frame.key == _MERGING:
            frame.merged.append(value)
        else:
            frame.container[frame.key] = value
        frame.key = None
        return path

    def _refuse_as_key(self, event: yaml.NodeEvent) -> None:
        if self._stack and isinstance(self._stack[-1].container, dict) and self._stack[-1].key is None:
            raise BrokenYamlError(
                "A key of a mapping is not plain text.",
                "Put text that starts with {{, [ or * in quotes.",
                place=_place_of(event),
            )


def _scalar_value(event: yaml.ScalarEvent) -> object:
    tag = event.tag
    if tag in ("!", _TAG + "str"):
        return event.value
    if tag is None and not event.implicit[0]:
        return event.value
    if tag is not None and tag not in {_TAG + name for name in ("int", "float", "bool", "null")}:
        raise _unknown_tag(event)
    value = resolve(event.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BrokenYamlError("A number is infinite or not a number.", "Write a finite one.", place=_place_of(event))
    return value


def _key_text(event: yaml.ScalarEvent) -> str:
    value = _scalar_value(event)
    if value is None or isinstance(value, bool):
        raise BrokenYamlError(
            f'The key "{_shorten(event.value)}" is {"empty" if value is None else "a boolean"} in YAML.',
            "Put it in quotes.",
            place=_place_of(event),
        )
    return str(value) if isinstance(value, int) else str(event.value)


def _merge(container: dict[str, object], source: object, *, event: yaml.Event) -> None:
    sources = source if isinstance(source, list) else [source]
    for mapping in sources:
        if not isinstance(mapping, dict):
            raise BrokenYamlError("A merge key (<<) takes a mapping.", "Point it at one.", place=_place_of(event))
        for key, value in mapping.items():
            container.setdefault(key, value)


def _unknown_tag(event: yaml.NodeEvent) -> BrokenYamlError:
    return BrokenYamlError(
        "A value carries a tag (!) that Kubernetes does not know.",
        "Remove it, or put text that starts with ! in quotes.",
        place=_place_of(event),
    )


def _place_of(event: yaml.Event) -> Position:
    mark = event.start_mark
    assert mark is not None
    return Position(mark.line + 1, mark.column + 1)


def _shorten(key: str) -> str:
    return key if len(key) <= 60 else key[:57] + "..."
