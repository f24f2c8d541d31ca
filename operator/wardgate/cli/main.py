"""The ``wardgate`` command: which commands there are, and nothing of what they do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from wardgate.cli.check import check
from wardgate.cli.crds import crds
from wardgate.cli.errors import CommandError
from wardgate.cli.operator import operator
from wardgate.cli.proxy import proxy
from wardgate.cli.render import render
from wardgate.cli.run import run
from wardgate.cli.status import status
from wardgate.cli.version import version
from wardgate.printable import printable_lines

app = typer.Typer(
    name="wardgate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="""An API-key gateway for AI APIs: callers show their own key, providers see only the provider's token.

    \b
    Examples:
      $ wardgate run examples/huggingface --port 8081=8081
      $ wardgate check examples/huggingface
      $ wardgate render examples/huggingface --request 'POST /huggingface' -H 'api-key: mysecretkey'
    """,
)
for command in (run, check, render, crds, operator, proxy, status, version):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, the process's own by default, and end the process with its status."""
    try:
        app(arguments, prog_name="wardgate")
    except CommandError as error:
        typer.echo(f"wardgate: {printable_lines(error.message)}", err=True)
        sys.exit(error.status)
