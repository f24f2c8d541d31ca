"""The limit of open files is raised, and respected."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wardgate.proxy import descriptors
from wardgate.proxy.settings import Limits

RAISED = "from wardgate.proxy import descriptors as d; print(d.limit()); d.raise_limit(); print(d.limit())"


def test_soft_limit_is_raised_to_the_hard_one() -> None:
    started = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -Sn 256; ulimit -Hn 512; exec "$0" -c "$1"', sys.executable, RAISED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ["256", "512"] == started.stdout.split()


@pytest.mark.parametrize(("open_files", "connections"), [(2**63 - 1, 10_000), (20_000, 10_000), (1024, 554), (64, 1)])
def test_callers_leave_descriptors_for_upstreams(open_files: int, connections: int) -> None:
    limits, told = descriptors.fitted(Limits(), descriptors=open_files)
    assert connections == limits.connections
    assert bool(told) is (connections < 10_000)


def test_what_is_told_names_the_remedy() -> None:
    _, told = descriptors.fitted(Limits(connections=1000), descriptors=1024)
    assert told == (
        "A worker may open 1024 files, so it takes 554 connections of callers instead of limits.connections=1000. "
        "Raise the hard limit of open files, or set fewer connections."
    )
