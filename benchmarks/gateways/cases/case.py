"""The form of a case."""

from __future__ import annotations

from typing import Final, Protocol

from benchmarks.gateways.outcome import Outcome
from benchmarks.gateways.stage import Stage

FORMS: Final = ("wardgate", "compiled")
"""Wardgate in plain Python, and compiled."""
GATEWAYS: Final = (*FORMS, "envoy", "haproxy")
NAMES: Final = {
    "wardgate": "Wardgate",
    "compiled": "Wardgate compiled",
    "envoy": "Envoy",
    "haproxy": "HAProxy",
    "nginx": "nginx",
    "direct": "direct",
}


class Case(Protocol):
    """``name`` is for the command line, ``title`` for people; ``tools`` are programs that it needs besides gateways."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def tools(self) -> tuple[str, ...]: ...

    @property
    def servers(self) -> tuple[str, ...]: ...

    def run(self, stage: Stage) -> Outcome:
        """Measure. Raises the errors of servers and load."""
        ...
