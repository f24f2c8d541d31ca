"""Loaded by Python at its start where ``PYTHONPATH`` leads here: lets a process tell of itself when it is signalled.

SIGUSR1 makes it read an order from the folder ``WARDGATE_HOUSE_FOLDER``, and answer with a file ``<pid>.json`` there:
``modules`` for the names of all that it has imported, ``record`` to write down from now on which functions of Wardgate
are called, ``calls`` for that record: a time of the monotonic clock and a file each. It imports the standard library
alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from types import FrameType

FOLDER = os.environ.get("WARDGATE_HOUSE_FOLDER", "")
MARK = f"{os.sep}operator{os.sep}wardgate{os.sep}"
_recording = False
_calls: list[tuple[float, str]] = []


def note(frame: FrameType, event: str, _argument: object) -> None:
    """Write down a call of a function of ours; a coroutine that goes on after an ``await`` counts as a call."""
    if _recording and event == "call" and MARK in frame.f_code.co_filename:
        _calls.append((time.monotonic(), frame.f_code.co_filename.rpartition(MARK)[2]))


def obey(_number: int, _frame: FrameType | None) -> None:
    """Read the order and answer it."""
    global _recording  # noqa: PLW0603 - a module is all that a probe has
    with open(os.path.join(FOLDER, "order"), encoding="ascii") as file:  # noqa: PTH118, PTH123 - pathlib is memory
        order = file.read()
    answer: list[str] | list[tuple[float, str]] = []
    if order == "modules":
        answer = sorted(sys.modules)
    elif order == "record":
        _calls.clear()
        _recording = True
        sys.setprofile(note)
    else:
        _recording = False
        sys.setprofile(None)
        answer = list(_calls)
    path = os.path.join(FOLDER, f"{os.getpid()}.json")  # noqa: PTH118
    with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(answer, file)
    os.rename(f"{path}.new", path)  # noqa: PTH104


if FOLDER:
    signal.signal(signal.SIGUSR1, obey)
    threading.setprofile(note)
