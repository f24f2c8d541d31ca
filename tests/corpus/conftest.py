"""The fixtures of the command line and of the stand-in provider, as other tests have them."""

from __future__ import annotations

from tests.cli.conftest import wardgate
from tests.examples.conftest import provider

__all__ = ["provider", "wardgate"]
