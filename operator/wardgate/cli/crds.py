"""``wardgate crds``: the CustomResourceDefinitions that belong to this version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wardgate.api.kinds.registry import KINDS, Kind
from wardgate.api.schema.crds import file_name, render
from wardgate.cli.errors import USAGE, CommandError


def crds(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(metavar="KIND", help="Kinds, plurals or short names; without any, all of them."),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir", metavar="DIR", file_okay=False, help="Write a file for each kind, instead of printing."
        ),
    ] = None,
) -> None:
    """Print the CustomResourceDefinitions, or write them to a folder.

    \b
    Examples:
      $ wardgate crds | kubectl apply --server-side -f -
      $ wardgate crds extauthpolicy tp
      $ wardgate crds --output-dir crds
    """
    chosen = [_find(name) for name in kinds] if kinds else list(KINDS.values())
    if output_dir is None:
        typer.echo("---\n".join(render(kind) for kind in chosen), nl=False)
        return
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        for kind in chosen:
            path = output_dir / file_name(kind)
            path.write_text(render(kind), encoding="utf-8")
            typer.echo(path)
    except OSError as error:
        msg = f"{output_dir} cannot be written: {error.strerror}."
        raise CommandError(msg) from error


def _find(name: str) -> Kind:
    wanted = name.lower()
    for kind in KINDS.values():
        if wanted in {kind.singular, kind.plural, *kind.short_names}:
            return kind
    msg = f'There is no kind "{name}"; there are {", ".join(sorted(KINDS))}.'
    raise CommandError(msg, status=USAGE)
