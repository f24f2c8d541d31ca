"""``--set NAME=VALUE``, for each command with the settings that it follows."""

from __future__ import annotations

from typing import Annotated

import typer

from wardgate.cli.options import assignments
from wardgate.cli.options.assignments import Assignment, Part


def _set_option(*parts: Part, example: str) -> object:
    return typer.Option(
        "--set",
        metavar="NAME=VALUE",
        parser=assignments.parse_assignment,
        callback=assignments.only(*parts),
        envvar="WARDGATE_SET",
        help=f"A setting by its name, for example {example}; may be repeated. docs/settings.md says what each one does "
        f"and its default. Names: {assignments.names(*parts)}.",
    )


SetOption = Annotated[list[Assignment] | None, _set_option("proxy", "translate", example="limits.head_bytes=128KiB")]
ProxySetOption = Annotated[list[Assignment] | None, _set_option("proxy", "cluster", example="timeouts.connect=3")]
TranslationSetOption = Annotated[
    list[Assignment] | None, _set_option("translate", example="template_limits.steps=1000000")
]
OperatorSetOption = Annotated[
    list[Assignment] | None, _set_option("translate", "cluster", example="template_limits.steps=1000000")
]
