"""The command itself: its cases, and a small measurement of Wardgate alone, which needs no other program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gateways.cases.all import CASES
from benchmarks.gateways.stage import PEERS
from tests.test_layout import ROOT

SECONDS = 120.0


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.gateways", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]

    assert len(names) == len(set(names))


def test_the_document_lists_the_cases_in_their_order() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    rows = [
        row.partition("|")[0].partition(":")[0] for row in re.findall(r"^\| (`[a-z][a-z-]+`.*)$", text, re.MULTILINE)
    ]

    assert [case.name for case in CASES] == [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_about_wardgate_and_known_servers(case: object) -> None:
    servers = getattr(case, "servers", ())

    assert ("wardgate", "compiled") == servers[:2]
    assert set() == set(servers) - {"wardgate", "compiled", *PEERS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--case=none", "invalid choice"),
        ("--rounds=0", "a number from 1 on"),
        ("--servers=wardgate,apache", "unknown server: apache"),
        ("--compiled=docs", "no virtual environment"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(option: str, said: str) -> None:
    ended = bench(option)

    assert 2 == ended.returncode
    assert said in ended.stderr


@pytest.mark.slow
def test_wardgate_alone_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    ended = bench("--case=streams", "--case=idle", "--servers=wardgate", "--rounds=1", f"--json={file}")
    assert (0, "") == (ended.returncode, "" if ended.returncode == 0 else ended.stderr)
    streams, idle = json.loads(file.read_text())["cases"]

    assert {"wardgate", "direct"} == {figure["server"] for figure in streams["figures"]}
    assert ["Wardgate: added at p50", "Wardgate: added at p99"] == [one["what"] for one in streams["comparisons"]]
    assert 0 < idle["figures"][0]["spread"]["median"] < 200
    assert "| 1,000 idle connections beside as many | Wardgate: memory of each | ≤ 12 KiB |" in ended.stdout
    assert ", wardgate 0." in ended.stdout
