"""The page of a finding's code: what it means, an example that produces it, and the remedy.

The pages are the files of ``codes/``, one for each ``Reason``, and come with the package.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from typing import Final

from wardgate.cli.console import Printer
from wardgate.cli.errors import USAGE, CommandError
from wardgate.problems import Reason

LIST: Final = "list"
"""Stands for all codes."""
_PAGES: Final = files("wardgate") / "codes"


def page_of(code: Reason) -> str:
    """The page, in Markdown."""
    return (_PAGES / f"{code}.md").read_text(encoding="utf-8")


def summary_of(code: Reason) -> str:
    """The first sentence of the page."""
    return page_of(code).split("\n\n")[1].replace("\n", " ")


def explain(asked: str) -> None:
    """Print one page, or the list of all. The code as a finding ends with it, in any case, with or without brackets."""
    text = _list() if asked.lower() == LIST else page_of(_code(asked))
    printer = Printer()
    for line in text.splitlines():
        printer.line(line)


def _list() -> str:
    width = max(map(len, Reason))
    return "\n".join(f"{code:{width}}  {summary_of(code)}" for code in sorted(Reason))


def _code(asked: str) -> Reason:
    by_name = {code.lower(): code for code in Reason}
    name = asked.strip().strip("[]").lower()
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, n=1, cutoff=0.5)
    hint = f" Did you mean {by_name[near[0]]}?" if near else ""
    msg = f"There is no code {asked}.{hint} wardgate check --explain list has them all."
    raise CommandError(msg, status=USAGE)
