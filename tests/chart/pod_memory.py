"""The memory of a pod's processes, as the kernel charges it to the pod: a page that several map is counted once."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

MIB = 1024 * 1024
HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+) *(.*)$")
SIZE = re.compile(r"^(Rss|Anonymous): +(\d+) kB$")


def pod_memory(*processes: int) -> float:
    """Give MiB: every process's own pages, and of each file's pages as many as the process with the most of them holds.

    Processes of other pods do not share them: those of this machine that happen to use the same files must not count.
    """
    own = 0
    files: dict[str, int] = defaultdict(int)
    for process in processes:
        anonymous, mapped = _sizes(Path(f"/proc/{process}/smaps").read_text(encoding="utf-8"))
        own += anonymous
        for name, size in mapped.items():
            files[name] = max(files[name], size)
    return (own + sum(files.values())) * 1024 / MIB


def _sizes(smaps: str) -> tuple[int, dict[str, int]]:
    """Give the kilobytes that are the process's own, and those of each file."""
    own, name = 0, ""
    mapped: dict[str, int] = defaultdict(int)
    for line in smaps.splitlines():
        if head := HEAD.match(line):
            name = head[2] if head[1] != "0" else ""
        elif (size := SIZE.match(line)) and size[1] == "Anonymous":
            own += int(size[2])
            mapped[name] -= int(size[2])
        elif size:
            mapped[name] += int(size[2])
    return own, {name: size for name, size in mapped.items() if name}
