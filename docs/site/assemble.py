"""Put the sources of the site together: ``python docs/site/assemble.py build/site``.

The site has no text of its own. The repository's documents keep their places, so that the links between them hold. The
reference of the kinds and the picture of ``wardgate status`` are made from code and from the command's tested output.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from kinds import kinds_page
from terminal import picture

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "*.md",
    "docs/*.md",
    "docs/decisions/*.md",
    "examples/*/README.md",
    "charts/*/README.md",
    "operator/wardgate/codes/*.md",
)
PICTURES = "docs/pictures/*.svg"
SCREEN = ROOT / "tests" / "golden" / "cli" / "status.txt"
_LINK = re.compile(r"(?<!\!)\[([^\]]+)\]\((?!https?://|#)([^)#]+)(#[^)]*)?\)")


def main(target: Path) -> None:
    """Write the folder anew."""
    shutil.rmtree(target, ignore_errors=True)
    pages = sorted({path for pattern in PAGES for path in ROOT.glob(pattern)})
    for page in pages:
        write(target / page.relative_to(ROOT), linked(page, pages))
    write(ROOT / "docs" / "pictures" / "status.svg", picture("wardgate status", SCREEN.read_text(encoding="utf-8")))
    for path in ROOT.glob(PICTURES):
        write(target / path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    write(target / "reference" / "kinds.md", kinds_page())
    write(target / "reference" / "refusals.md", refusals_page(linked(ROOT / "SECURITY.md", pages)))


def linked(page: Path, pages: list[Path]) -> str:
    """A page's text, whose links to folders lead to their README. What is no part of the site loses its link."""

    def replace(match: re.Match[str]) -> str:
        words, name, anchor = match[1], match[2], match[3] or ""
        goal = (page.parent / name).resolve()
        if goal in pages:
            return match[0]
        if goal / "README.md" in pages:
            return f"[{words}]({name.rstrip('/')}/README.md{anchor})"
        return words

    return _LINK.sub(replace, page.read_text(encoding="utf-8"))


def refusals_page(security: str) -> str:
    """The table of refusals, which a test compares with the code, as a page of its own for those who look one up."""
    _, heading, rest = security.partition("## What a refused request is answered\n")
    assert heading, "SECURITY.md has no table of refusals"
    table = rest.partition("\n## ")[0]
    return "# Refusals\n" + _LINK.sub(lambda found: f"[{found[1]}](../{found[2]}{found[3] or ''})", table)


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
