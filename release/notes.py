"""Prints a version's section of the change log: ``python3 -m release.notes 0.2.0``."""

from __future__ import annotations

import re
import sys

from release.version import CHANGES, ROOT


def main() -> int:
    """Print it. Exit status 1: there is none."""
    version = sys.argv[1]
    notes = section((ROOT / CHANGES).read_text(encoding="utf-8"), version)
    print(notes or f"{CHANGES} has no section [{version}].", file=sys.stdout if notes else sys.stderr)
    return 0 if notes else 1


def section(text: str, version: str) -> str:
    """Give what stands below a version's heading, empty if there is nothing."""
    found = re.search(rf"^## \[{re.escape(version)}\].*?\n(.*?)(?=^## \[|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


if __name__ == "__main__":
    sys.exit(main())
