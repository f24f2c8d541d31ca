"""Runs the command line in this process, as the console script would, and says how it ended."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import Protocol

import pytest

from wardgate.cli.main import main


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit status and what was printed."""

    status: int
    out: str
    err: str


class Wardgate(Protocol):
    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended: ...


def run_main(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], stdin: bytes
) -> Ended:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    code = ended.value.code
    return Ended(code if isinstance(code, int) else 0, captured.out, captured.err)
