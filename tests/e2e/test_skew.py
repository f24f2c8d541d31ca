"""Operator and proxies of neighbouring majors of the schema: this tree, and this tree with the major raised by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.door import HEADER, PATH, Door
from tests.e2e.installation import WARDGATE, Installation

ROOT = Path(__file__).parents[2]
WRITTEN = 'WRITTEN: Final = ("1.0",)'
THIS = (WARDGATE,)


@pytest.fixture
def raised(tmp_path: Path) -> tuple[str, ...]:
    """The command of a Wardgate that writes schema 2.0, and 1.0 for those who read no other."""
    tree = tmp_path / "raised"
    shutil.copytree(ROOT / "operator", tree, ignore=shutil.ignore_patterns("__pycache__"))
    schema = tree / "wardgate" / "wire" / "schema.py"
    text = schema.read_text()
    assert WRITTEN in text
    schema.write_text(text.replace(WRITTEN, WRITTEN.replace('"1.0",', '"1.0", "2.0"')))
    return ("env", f"PYTHONPATH={tree}", WARDGATE)


@pytest.fixture(autouse=True)
def door(cluster: Cluster) -> Door:
    made = Door(cluster)
    made.key("key", "k")
    return made


def serves(installation: Installation) -> None:
    installation.everywhere(200, PATH, **{HEADER: "k"})
    installation.everywhere(401, PATH)


def test_new_operator_writes_what_old_proxies_read(installation: Installation, raised: tuple[str, ...]) -> None:
    installation.wardgate = raised
    installation.operator()
    installation.wait_until(
        lambda: installation.index().get("schema") == "2.0", "without proxies the newest is written"
    )
    installation.wardgate = THIS
    installation.proxy()
    serves(installation)
    assert "1.0" == installation.index()["schema"]
    installation.wardgate = raised
    installation.proxy()
    serves(installation)
    assert "1.0" == installation.index()["schema"]


def test_new_proxies_read_what_an_old_operator_wrote(installation: Installation, raised: tuple[str, ...]) -> None:
    old = installation.operator()
    installation.wardgate = raised
    for _ in range(2):
        installation.proxy()
    serves(installation)
    assert "1.0" == installation.index()["schema"]
    # The operator is renewed last; then every proxy reads the new schema, and nobody notices.
    old.program.stop()
    installation.operator()
    installation.wait_until(
        lambda: installation.index().get("schema") == "2.0", "the new operator writes the new schema"
    )
    serves(installation)
