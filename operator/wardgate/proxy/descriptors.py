"""How many files and sockets a worker may have open, and how many of them are for callers.

Systems still start programs with a soft limit of 1,024, for the sake of ``select``, which nothing here uses. One
caller's connections would exhaust it; then nobody is accepted any more, and no upstream is reached. So a worker raises
its limit as far as it may, and takes no more callers than leave descriptors for their requests' upstreams.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from dataclasses import replace

from wardgate.proxy.settings import Limits

_OWN = 192
"""Listening sockets, pipes, name servers, certificates that are read, callers that are being turned away."""


def raise_limit() -> None:
    """Raise this process's soft limit of open files to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS says "unlimited" and does not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit() -> int:
    """Files that this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def fitted(limits: Limits, *, descriptors: int) -> tuple[Limits, str]:
    """Return limits that so many descriptors suffice for, and what to tell about it; nothing if they always did."""
    most = max((descriptors - _OWN) * 2 // 3, 1)
    if limits.connections <= most:
        return limits, ""
    text = (
        f"A worker may open {descriptors} files, so it takes {most} connections of callers instead of "
        f"limits.connections={limits.connections}. Raise the hard limit of open files, or set fewer connections."
    )
    return replace(limits, connections=most), text
