"""``wardgate version``."""

from __future__ import annotations

import platform
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec

import typer

from wardgate import __version__
from wardgate.wire.schema import SCHEMA

_HOT = "wardgate.proxy.core.exchange"
"""One of the modules that are compiled, where any is."""


def version() -> None:
    """Print the version, the config schema it writes, the Python it runs on, and whether the proxy is compiled.

    \b
    Example:
      $ wardgate version
      wardgate 0.1.0 (config schema 1.0, Python 3.12.4, compiled)
    """
    form = "compiled" if is_compiled() else "plain Python"
    typer.echo(f"wardgate {__version__} (config schema {SCHEMA}, Python {platform.python_version()}, {form})")


def is_compiled() -> bool:
    """Whether this installation's data plane is compiled, as the image's is. A plain one does the same, slower."""
    found = find_spec(_HOT)
    return found is not None and found.origin is not None and found.origin.endswith(tuple(EXTENSION_SUFFIXES))
