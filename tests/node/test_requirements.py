"""A machine that cannot run a node is told what it lacks, by the names of Debian's packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chart.helm import ROOT
from tests.node.__main__ import SKIPPED, main
from tests.node.requirements import PACKAGES, CannotRunError, require_packages, require_root


def test_every_missing_package_is_named_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ip").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotRunError) as refused:
        require_packages(("runc", "iproute2", "debootstrap"))

    assert (
        "A node with real pods needs runc, debootstrap: run `apt-get install --no-install-recommends runc debootstrap` "
        "(Debian and Ubuntu)." == str(refused.value)
    )


def test_without_root_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(CannotRunError, match="needs root"):
        require_root()


def test_without_root_a_developer_s_machine_leaves_the_tests_out_and_ci_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("CI", raising=False)
    assert SKIPPED == main(["need"])

    monkeypatch.setenv("CI", "true")
    assert 1 == main(["need"])


def test_ci_installs_every_package_that_is_needed() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split()

    assert set() == set(PACKAGES) - set(script)
