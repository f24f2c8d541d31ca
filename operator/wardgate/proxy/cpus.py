"""How many workers are worth having: the CPUs this process may use, by affinity and by the cgroup's quota."""

from __future__ import annotations

import math
import os
from pathlib import Path

_V2 = Path("/sys/fs/cgroup/cpu.max")
_V1_QUOTA = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_V1_PERIOD = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


def available_cpus() -> int:
    """Whole CPUs, at least one. A quota of two and a half counts as three: the half is not left idle."""
    try:
        affine = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        affine = os.cpu_count() or 1
    quota = quota_cpus(_read(_V2), v1_quota=_read(_V1_QUOTA), v1_period=_read(_V1_PERIOD))
    return max(1, affine if quota is None else min(affine, math.ceil(quota)))


def quota_cpus(v2: str, *, v1_quota: str, v1_period: str) -> float | None:
    """CPUs' worth of time that cgroup v2's ``cpu.max``, else v1's files, grant; None: no limit."""
    fields = v2.split() or [v1_quota.strip(), v1_period.strip()]
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    quota, period = map(int, fields)
    return quota / period if period and quota else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
