"""A ``List`` that cannot be read as a whole, cut into its items.

``kubectl get -o yaml`` writes hundreds of objects into one document, and a mistake in one of them must not cost the
others. Items in block style begin with a dash at one indentation, and nothing inside an item is indented as little, so
that cutting by lines is exact. A list in flow style (JSON) stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ITEMS: Final = re.compile(r"items:[ \t]*(?:#.*)?$")
_LIST_KIND: Final = re.compile(r"""^kind:[ \t]*["']?\w*List\b""", re.MULTILINE)
_DASH: Final = re.compile(r"[ ]*-(?=[ ]|$)")


@dataclass(frozen=True, slots=True)
class ListParts:
    """``items`` with the line, from 0, at which each begins; ``frame`` is the text without them, line by line."""

    items: tuple[tuple[str, int], ...]
    frame: str


def cut_list(text: str) -> ListParts | None:
    """Cut a document that is a list in block style; None for anything else. Columns and lines stay what they are."""
    lines = text.split("\n")
    begin = next((number for number, line in enumerate(lines) if _ITEMS.match(line)), None)
    if begin is None or _LIST_KIND.search(text) is None:
        return None
    first = next((number for number in range(begin + 1, len(lines)) if _DASH.match(lines[number])), None)
    if first is None or any(line.strip() and not line.lstrip().startswith("#") for line in lines[begin + 1 : first]):
        return None
    indentation = lines[first].partition("-")[0]
    end = next((number for number in range(first, len(lines)) if _ends(lines[number], indentation)), len(lines))
    starts = [number for number in range(first, end) if lines[number].startswith(f"{indentation}-")]
    items = tuple(
        ("\n".join([lines[start].replace("-", " ", 1), *lines[start + 1 : after]]), start)
        for start, after in zip(starts, [*starts[1:], end], strict=True)
    )
    frame = "\n".join([*lines[: begin + 1], *[""] * (end - begin - 1), *lines[end:]])
    return ListParts(items, frame)


def _ends(line: str, indentation: str) -> bool:
    """Whether the items end before this line, which belongs to the list's own keys again."""
    stripped = line.lstrip(" ")
    depth = len(line) - len(stripped)
    if not stripped or stripped.startswith("#") or depth > len(indentation):
        return False
    return depth < len(indentation) or _DASH.match(line) is None
