"""``wardgate version``."""

from __future__ import annotations

import platform

import typer

from wardgate import __version__
from wardgate.wire.schema import SCHEMA


def version() -> None:
    """Print the version, the config schema it writes, and the Python it runs on.

    \b
    Example:
      $ wardgate version
      wardgate 0.1.0 (config schema 1.0, Python 3.12.4)
    """
    typer.echo(f"wardgate {__version__} (config schema {SCHEMA}, Python {platform.python_version()})")
