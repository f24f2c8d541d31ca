"""The command line: a Markdown table with a column for each checkout, or JSON with what was counted."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.house.figures import Figure, of_the_processes, of_the_source

HERE = Path(__file__).resolve().parents[2]


def table(columns: Sequence[str], rows: Sequence[Sequence[Figure]]) -> str:
    """Write a table; ``rows`` has the figures of each column."""
    lines = [["figure", *columns], ["---"] * (1 + len(columns))]
    lines += [[each[0].title, *(figure.shown for figure in each)] for each in zip(*rows, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Figures of the tree and of its processes.")
    parser.add_argument(
        "--checkout", type=Path, action="append", help="what to measure, installed; may be repeated (default: this)"
    )
    parser.add_argument("--source-only", action="store_true", help="start no process")
    parser.add_argument("--json", action="store_true", help="print JSON, with what was counted")
    options = parser.parse_args()
    checkouts = [checkout.resolve() for checkout in options.checkout or [HERE]]
    found = [
        of_the_source(checkout) + ([] if options.source_only else of_the_processes(checkout)) for checkout in checkouts
    ]
    if options.json:
        print(
            json.dumps([{figure.title: [figure.shown, figure.detail] for figure in each} for each in found], indent=2)
        )
    else:
        print(table([checkout.name for checkout in checkouts], found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
