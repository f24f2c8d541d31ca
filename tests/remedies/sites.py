"""All remedies in the code, found by what they begin with: an imperative at the start of a clause.

Texts are read from the syntax tree, so a new message with a remedy is found without anybody listing it. A hole of an
f-string stands for any text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2] / "operator" / "wardgate"
PACKAGES: Final = ("api", "inja", "standalone", "translate")
_VERBS: Final = (
    "add|annotate|ask|attach|begin|change|check|choose|close|complete|copy|correct|create|delegate|delete|end|fill|give|"
    "have|indent|keep|label|let|list|lower|make|mend|move|name|narrow|point|put|raise|remove|rename|restore|save|"
    "separate|set|shorten|split|start|take|use|write"
)
_REMEDY: Final = re.compile(
    rf"(?:^|[.;:]\s+|,\s+(?:or|and)\s+|^\s*(?:or|and)\s+)(?:{_VERBS})\b(?!:|-| of\b)|\bdid you mean\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Site:
    """One text with a remedy. ``pattern`` finds what it has become in a message."""

    file: str
    line: int
    text: str
    pattern: re.Pattern[str]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def sites() -> list[Site]:
    """Every text with a remedy, in the order of files and lines."""
    found = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            found += [Site(name, *rest) for rest in _in_module(ast.parse(file.read_text(encoding="utf-8")))]
    return found


def _in_module(tree: ast.Module) -> Iterator[tuple[int, str, re.Pattern[str]]]:
    passed_over = set(_not_messages(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in passed_over:
            text, pattern = _read(node)
            if " " in text and _REMEDY.search(text):
                yield node.lineno, text, re.compile(pattern, re.DOTALL)


def _not_messages(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, descriptions of fields, and the parts of what is read as a whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.keyword) and node.arg == "description":
            yield from ast.walk(node.value)


def _read(node: ast.Constant | ast.JoinedStr) -> tuple[str, str]:
    """The text with holes as ``{}``, and as a pattern."""
    if isinstance(node, ast.Constant):
        return (node.value, re.escape(node.value)) if isinstance(node.value, str) else ("", "")
    parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
    text = "".join("{}" if part is None else part for part in parts)
    return text, "".join(".*" if part is None else re.escape(part) for part in parts)
