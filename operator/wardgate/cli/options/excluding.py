"""``--exclude``: what the commands that read a folder pass over."""

from __future__ import annotations

from typing import Annotated

import typer

from wardgate.standalone.scan.ignore_rules import BadPatternError, check_pattern


def parse_pattern(text: str) -> str:
    """Refuse what is no pattern."""
    try:
        return check_pattern(text)
    except BadPatternError as error:
        raise typer.BadParameter(str(error)) from error


ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        parser=parse_pattern,
        envvar="WARDGATE_EXCLUDE",
        help="Leave out files or folders below DIR, as a .gitignore would, after .wardgateignore; may be repeated.",
    ),
]
