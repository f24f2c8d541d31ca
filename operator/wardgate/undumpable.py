"""Keeps a process's memory to itself: it holds tokens and private keys in clear.

No core file is written when it crashes, and on Linux nobody but root attaches to it or reads its ``/proc/PID/mem`` and
``environ``, other processes of its own user included (``PR_SET_DUMPABLE`` in prctl(2)). A new program starts dumpable
again, so every process says this for itself, before it reads a secret. Profilers and debuggers need root then.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def make_undumpable() -> None:
    """Forbid core files and being looked into. Raises ``OSError`` where the kernel does not let us."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
