"""The ``wardgate`` command: which commands there are, and nothing of what they do.

As ``kubectl-wardgate`` it is the same, and calls itself ``kubectl wardgate``: kubectl runs it under that name.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

import typer

from wardgate.cli.errors import CommandError
from wardgate.printable import printable_lines

COMMANDS: Final = {
    "run": "Serve a folder of manifests, without a cluster.",
    "check": "Find the mistakes in manifests.",
    "render": "Show what the gateway would do with a request.",
    "crds": "Print the CustomResourceDefinitions.",
    "operator": "Watch a cluster and publish what its proxies serve.",
    "proxy": "Serve what the operator publishes, or a config from a file.",
    "status": "Show an installation: its gateways, keys, problems, proxies.",
    "version": "Print the version, and whether the data plane is compiled.",
}
"""Each is the function of that name in the module of that name. The line stands in the list of commands."""


def application(*names: str, program: str = "wardgate") -> typer.Typer:
    """Make the command line with these commands, for ``program`` to call. Importing one loads all that it needs."""
    app = typer.Typer(
        name="wardgate",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(help=_help_of(_wardgate, program))(_wardgate)
    for name in names:
        function = getattr(import_module(f"wardgate.cli.{name}"), name)
        app.command(help=_help_of(function, program), short_help=COMMANDS[name])(function)
    return app


def _help_of(function: Callable[..., None], program: str) -> str:
    """Give a command's help, whose examples begin as people type them."""
    return (inspect.getdoc(function) or "").replace("$ wardgate ", f"$ {program} ")


def _wardgate() -> None:
    """An API-key gateway for AI APIs: callers show their own key, providers see only the provider's token.

    \b
    Examples:
      $ wardgate run examples/huggingface --port 8081=8081
      $ wardgate check examples/huggingface
      $ wardgate render examples/huggingface --request 'POST /huggingface' -H 'api-key: mysecretkey'
    """


def kubectl() -> None:
    """Run the command line as kubectl's plugin, of which kubectl passes on the arguments."""
    main(program="kubectl wardgate")


def main(arguments: Sequence[str] | None = None, *, program: str = "wardgate") -> None:
    """Run the command line, the process's own by default, and end the process with its status."""
    words = sys.argv[1:] if arguments is None else arguments
    # A proxy has no use for the parser of manifests, nor time to load it.
    asked = words[:1] if words and words[0] in COMMANDS else tuple(COMMANDS)
    # Nothing of what a start makes is garbage: without the collector it takes a tenth less time.
    gc.disable()
    called = application(*asked, program=program)
    gc.freeze()
    gc.enable()
    try:
        called(words, prog_name=program)
    except CommandError as error:
        typer.echo(f"wardgate: {printable_lines(error.message)}", err=True)
        sys.exit(error.status)
