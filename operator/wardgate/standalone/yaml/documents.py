"""A file's bytes as documents: each is either readable, with places on demand, or broken, with the place and a remedy.

The text is cut at the document markers before it is parsed, as ``kubectl`` does, so that one broken document costs no
other. YAML forbids a marker at the start of a line inside a scalar, so cutting first is exact. A broken ``List`` is cut
once more, into its items (``broken_lists``), and text that is not UTF-8 breaks only its document. Places are looked up
by reading the one document again, only when there is something to say about it: a hundred thousand places that nobody
asks for would cost more than the objects.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NoReturn

import yaml

from wardgate.problems import FieldPath
from wardgate.standalone.yaml.broken_lists import cut_list
from wardgate.standalone.yaml.position import Position
from wardgate.standalone.yaml.scalars import whole
from wardgate.standalone.yaml.tree import MAX_DEPTH, BrokenYamlError, Positions, TreeBuilder
from wardgate.text_codec import from_bytes

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_DOCUMENTS: Final = 200_000

_MARKER: Final = re.compile(r"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t\r\n]|\Z)[^\n]*\n?)", re.MULTILINE)
_NO_CONTENT: Final = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?(?:\n|\Z))*\Z")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_STRAY: Final = "\ud800"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DIRECTIVES_ONLY: Final = re.compile(r"(?:(?:[ \t\r]*(?:#[^\n]*)?|%[^\n]*)(?:\n|\Z))*\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """One readable document. ``value`` and ``text`` may hold a Secret and are never printed."""

    value: object = field(repr=False)
    text: str = field(repr=False)
    first_line: int

    def locate(self, path: FieldPath) -> Position:
        """Return the place of a field, or of the nearest one around it that is there."""
        positions = _positions(self.text)
        depth = len(path)
        while depth and path[:depth] not in positions:
            depth -= 1
        place = positions.get(path[:depth], Position(1, 1))
        return Position(place.line + self.first_line - 1, place.column)


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """One document that cannot be read. ``partial`` is what stood before the place where it breaks off.

    ``text`` is all of it, and begins at ``first_line``. Both may hold a Secret and are never printed.
    """

    place: Position
    message: str
    remedy: str
    partial: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    text: str = field(default="", repr=False)
    first_line: int = 1

    @property
    def rest(self) -> str:
        """The text from the line on in which it breaks off."""
        return "".join(self.text.splitlines(keepends=True)[self.place.line - self.first_line :])


class UnreadableFileError(Exception):
    """Nothing of the file can be used; the text says why and ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str, *, place: Position | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.place = place or Position(1, 1)


def read_documents(data: bytes) -> list[Document | BrokenDocument]:
    """Return the documents of a file in order, empty ones left out. Raises ``UnreadableFileError``."""
    if len(data) > MAX_FILE_BYTES:
        msg = f"The file has more than {MAX_FILE_BYTES // 1024 // 1024} MiB."
        raise UnreadableFileError(msg, "Split it.")
    documents: list[Document | BrokenDocument] = []
    for text, first_line in _chunks(_decode(data)):
        documents += _read(text, first_line=first_line)
        if len(documents) > MAX_DOCUMENTS:
            msg = f"The file has more than {MAX_DOCUMENTS} documents."
            raise UnreadableFileError(msg, "Split it.", place=Position(first_line, 1))
    return documents


def _decode(data: bytes) -> str:
    """Decode; bytes that are not UTF-8 survive as surrogates; of other Unicode text, one at the end of every line."""
    if data.startswith(_UTF_16):
        return re.sub("$", f" {_STRAY}", data.decode("utf-16", "replace"), flags=re.MULTILINE)
    return from_bytes(data.removeprefix(codecs.BOM_UTF8))


def _chunks(text: str) -> Iterator[tuple[str, int]]:
    """Cut before ``---`` and at ``...``; directives stay with the document they introduce."""
    line = start = 0
    for match in [*_MARKER.finditer(text), None]:
        end = len(text) if match is None else match.start()
        chunk = text[start:end]
        if match is not None and match[0] == "---" and _DIRECTIVES_ONLY.match(chunk):
            continue
        yield chunk, line + 1
        if match is not None:
            after = match.end() if match[0].startswith(".") else end
            line += text.count("\n", start, after)
            start = after


def _read(text: str, *, first_line: int) -> list[Document | BrokenDocument]:
    """One document; of a list that is broken, its items; none where there is no content."""
    if _NO_CONTENT.match(text.removeprefix("---")):
        return []
    document = _read_one(text, first_line=first_line)
    if not isinstance(document, BrokenDocument):
        return [] if document is None else [document]
    parts = cut_list(text)
    if parts is None:
        return [document]
    items = [_read_one(item, first_line=first_line + offset) for item, offset in parts.items]
    found = [item for item in items if item is not None]
    frame = _read_one(parts.frame, first_line=first_line)
    if isinstance(frame, BrokenDocument) or not any(isinstance(item, BrokenDocument) for item in found):
        found.append(replace(document, partial=MappingProxyType({}), text=parts.frame))
    return found


def _read_one(text: str, *, first_line: int) -> Document | BrokenDocument | None:
    stray = _SURROGATE.search(text)
    if stray is not None:
        return _not_text(text, stray.start(), first_line=first_line)
    value = _read_json(text)
    if value is None:
        builder = TreeBuilder()
        try:
            value = builder.build(text)
        except (BrokenYamlError, yaml.YAMLError) as error:
            found = error if isinstance(error, BrokenYamlError) else _explain(error, text)
            return _broken(found, text, first_line=first_line, partial=builder.root)
    return None if value is None else Document(value, text, first_line)


def _not_text(text: str, at: int, *, first_line: int) -> BrokenDocument:
    """The readable part of a document with bytes that are not UTF-8."""
    place = Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    error = BrokenYamlError(
        "The file is not UTF-8 text.", "Save it as UTF-8, or keep it out of the folder.", place=place
    )
    builder = TreeBuilder()
    readable = _SURROGATE.sub("\ufffd", text.replace(_STRAY, ""))
    with suppress(BrokenYamlError, yaml.YAMLError):
        builder.build(readable)
    return _broken(error, readable, first_line=first_line, partial=builder.root)


def _broken(error: BrokenYamlError, text: str, *, first_line: int, partial: object) -> BrokenDocument:
    return BrokenDocument(
        Position(error.place.line + first_line - 1, error.place.column),
        error.message,
        error.remedy,
        MappingProxyType(partial) if isinstance(partial, dict) else MappingProxyType({}),
        text,
        first_line,
    )


@lru_cache(maxsize=16)
def _positions(text: str) -> Positions:
    positions: Positions = {}
    try:
        TreeBuilder(positions=positions).build(text)
    except (BrokenYamlError, yaml.YAMLError):
        return positions  # JSON that is no YAML: what comes before the difference has its place
    return positions


# --- JSON ---


def _read_json(text: str) -> object:
    """Return the value of a JSON object; None for all else, mistakes included, which then fail as YAML with a place."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value: object = json.loads(text, object_pairs_hook=_unique, parse_float=_number, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if _depth_within(value, MAX_DEPTH) else None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        msg = "A key stands twice."
        raise ValueError(msg)
    return result


def _number(text: str) -> int | float:
    return whole(float(text))


def _refuse(_constant: str) -> NoReturn:
    msg = "Not a finite number."
    raise ValueError(msg)


def _depth_within(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []


# --- what the parser says, for people ---

_REMEDIES: Final = (
    ("mapping values are not allowed", "Put text that contains ': ' in quotes, and check the indentation."),
    ("tab character", "Indent with spaces, not tabs."),
    ("cannot start any token", "Indent with spaces, not tabs, and put text that starts with @, ` or % in quotes."),
    ("unexpected end of stream", "Close the quote that opens here."),
    ("could not find expected ':'", "Check that this line is 'key: value' and is indented like its neighbours."),
    ("did not find expected key", "Check the indentation of this line, and the brackets and quotes before it."),
    ("did not find expected '-' indicator", "Indent all items of the list alike."),
    ("escape", "Write a backslash as \\\\ between double quotes, or use single quotes."),
    ("expected ',' or", "Close the bracket, or separate its entries with commas."),
    ("node content", "Complete the value, or close the bracket, that stands here."),
    ("document start", "Check the brackets before this place."),
)


def _explain(error: Exception, text: str) -> BrokenYamlError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return BrokenYamlError(
            "The text holds a control character.", "Remove it.", place=_place_of_control_character(text)
        )
    problem = error.problem or "not YAML"
    lines = text.rstrip().split("\n")
    at_the_end = error.problem_mark.line >= len(lines) or "end of stream" in problem
    mark = error.context_mark if at_the_end and error.context_mark else error.problem_mark
    place = min(Position(mark.line + 1, mark.column + 1), Position(len(lines), len(lines[-1]) + 1))
    remedy = next(
        (advice for needle, advice in _REMEDIES if needle in problem), "Check the indentation and quotes here."
    )
    if "{{" in lines[place.line - 1]:
        remedy = "Put text that contains {{ }} in quotes."
    return BrokenYamlError(f"The document is not YAML: {problem}.", remedy, place=place)


_PRINTABLE: Final = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _place_of_control_character(text: str) -> Position:
    match = _PRINTABLE.search(text)
    offset = match.start() if match else 0
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
