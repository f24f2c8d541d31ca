"""The settings of the whole machine that kubelet changes: saved before it starts, restored after it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

CHANGED: Final = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")
SYSCTLS: Final = Path("/proc/sys")


def save(file: Path) -> None:
    """Write the present values to ``file``."""
    file.write_text(json.dumps({name: (SYSCTLS / name).read_text().strip() for name in CHANGED}))


def restore(file: Path) -> None:
    """Set what ``file`` says; nothing is done without it."""
    if not file.is_file():
        return
    for name, value in json.loads(file.read_text()).items():
        if (SYSCTLS / name).read_text().strip() != value:
            (SYSCTLS / name).write_text(value)
