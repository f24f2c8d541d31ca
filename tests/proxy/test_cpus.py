"""How many workers a quota is worth."""

from __future__ import annotations

import pytest

from wardgate.proxy.cpus import available_cpus, quota_cpus


@pytest.mark.parametrize(
    ("v2", "v1_quota", "v1_period", "expected"),
    [
        ("200000 100000", "", "", 2.0),
        ("250000 100000\n", "", "", 2.5),
        ("max 100000", "", "", None),
        ("", "50000\n", "100000\n", 0.5),
        ("", "-1", "100000", None),
        ("", "", "", None),
        ("1 2 3", "", "", None),
        ("", "1000", "0", None),
    ],
)
def test_the_quota_is_read_from_either_version(v2: str, v1_quota: str, v1_period: str, expected: float | None) -> None:
    assert quota_cpus(v2, v1_quota=v1_quota, v1_period=v1_period) == expected


def test_there_is_always_one_worker() -> None:
    assert available_cpus() >= 1


def test_a_quota_limits_the_workers_and_a_fraction_counts_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr("wardgate.proxy.cpus._read", lambda path: "250000 100000" if path.name == "cpu.max" else "")
    assert available_cpus() == 3
    monkeypatch.setattr("wardgate.proxy.cpus._read", lambda _: "")
    assert available_cpus() == 8


def test_without_affinity_all_cpus_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    monkeypatch.setattr("wardgate.proxy.cpus._read", lambda _: "")
    assert available_cpus() == 5
