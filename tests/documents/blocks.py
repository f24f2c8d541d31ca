"""Blocks of the documents: commands, each with the output that is shown below it, manifests and programs.

Nothing beyond the standard library is imported: ``tests/install/newcomer.py`` reads the README before anything is
installed.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md"), *ROOT.glob("operator/**/*.md")]
)
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_CONTINUED = re.compile(r"( *)\\\n( *)")
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``line`` is the number of its first line within the document."""

    document: str
    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command behind a prompt, as one line, and the output shown below it, which may be empty."""

    document: str
    line: int
    text: str
    shown: str


def name_of(path: Path) -> str:
    """Give a document's path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks_in(document: str, text: str, *languages: str) -> list[Block]:
    """Give the blocks of these languages, in their order."""
    found = []
    for match in _BLOCK.finditer(text):
        if match["language"] in languages:
            line = text.count("\n", 0, match.start("text")) + 1
            found.append(Block(document, line, match["language"], textwrap.dedent(match["text"])))
    return found


def blocks_of(path: Path, *languages: str) -> list[Block]:
    """Give the blocks of a document."""
    return blocks_in(name_of(path), path.read_text(encoding="utf-8"), *languages)


def commands_in(block: Block) -> Iterator[Command]:
    """Split a ``console`` block. Lines before its first prompt are no command and are left out."""
    starts = [match.end() for match in _PROMPT.finditer(block.text)]
    for start, end in zip(starts, [*(start - len("$ ") for start in starts[1:]), None], strict=True):
        # A backslash at the end of a line continues the command; the output begins after the first line without one.
        typed, _, shown = _CONTINUED.sub(lambda gap: " " if gap[1] or gap[2] else "", block.text[start:end]).partition(
            "\n"
        )
        yield Command(block.document, block.line + block.text.count("\n", 0, start), typed, shown)


def commands_of(path: Path) -> list[Command]:
    """Give every command that a document shows."""
    return [command for block in blocks_of(path, "console") for command in commands_in(block)]


def is_as_shown(shown: str, printed: str) -> bool:
    """Compare an output with what a document shows of it.

    ``...`` stands for any text. Blanks and line breaks count as one blank, because documents break long lines.
    """
    parts = [" ".join(part.split()) for part in shown.split("...")]
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern.replace(r"\ .*", ".*").replace(r".*\ ", ".*"), " ".join(printed.split())) is not None
