"""The tables of ``docs/install.md`` against the chart."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.documents.blocks import ROOT

TABLE = (ROOT / "docs" / "install.md").read_text().partition("## Values")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `([\w.]+)`(?:, `([\w.]+)`)? \| ([^|]+) \|", TABLE, re.MULTILINE)
VALUES = yaml.safe_load((ROOT / "charts" / "wardgate" / "values.yaml").read_text())


def value_of(name: str) -> Any:
    found = VALUES
    for part in name.split("."):
        found = found[part]
    return found


@pytest.mark.parametrize("name", [name for row in ROWS for name in row[:2] if name])
def test_every_value_that_is_named_is_there(name: str) -> None:
    value_of(name)


@pytest.mark.parametrize(("name", "default"), [(row[0], row[2]) for row in ROWS if re.fullmatch(r"`\w+`|\d+", row[2])])
def test_a_documented_default_is_the_default(name: str, default: str) -> None:
    assert str(value_of(name)) == default.strip("`")


def test_the_documented_ports_are_those_of_the_service() -> None:
    (shown,) = [row[2] for row in ROWS if row[0] == "proxy.ports"]

    assert [port["port"] for port in VALUES["proxy"]["ports"]] == [int(port) for port in shown.split(", ")]
