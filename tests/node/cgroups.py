"""The node's own branch of each cgroup hierarchy, made before it and removed after it, in version 1 and 2."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.node.places import NAME

HIERARCHIES: Final = Path("/sys/fs/cgroup")
CPUSET: Final = ("cpuset.cpus", "cpuset.mems")
"""A new branch of version 1 has no CPU and no memory until it is told."""
REMOVAL_SECONDS: Final = 10.0


def make_branches() -> None:
    """Make the branch in every hierarchy."""
    for branch in branches():
        branch.mkdir(exist_ok=True)
        for name in CPUSET:
            if (branch.parent / name).is_file() and (branch / name).is_file():
                (branch / name).write_text((branch.parent / name).read_text())


def remove_branches() -> None:
    """Remove the branches, deepest first. Their processes must have ended; the kernel takes a moment to notice."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    while any(branch.is_dir() for branch in branches()):
        for branch in branches():
            for folder, _, _ in os.walk(branch, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            left = ", ".join(str(branch) for branch in branches() if branch.is_dir())
            raise OSError(f"These cgroups could not be removed: {left}.")
        time.sleep(0.05)


def branches() -> Iterator[Path]:
    """Give where the node's branches are, or would be."""
    if (HIERARCHIES / "cgroup.controllers").is_file():
        yield HIERARCHIES / NAME
        return
    for hierarchy in sorted(HIERARCHIES.iterdir()):
        if hierarchy.is_dir() and not hierarchy.is_symlink():
            yield hierarchy / NAME
