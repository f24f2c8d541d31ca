"""The values of the chart with their defaults and the comments above them, and the README that is written from these.

A value is what the schema has no further names below: ``proxy.resources`` is one, ``proxy`` is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART

OF_A_PARENT_CHART = {
    "global": "What a parent chart sets for all of its charts. `imageRegistry` and `imagePullSecrets` are obeyed.",
    "enabled": "The condition of a parent chart. By itself the chart refuses `false`.",
}
"""Names that the schema takes and values.yaml does not have."""
_KEY = re.compile(r"( *)([A-Za-z]\w*):")


@dataclass(frozen=True, slots=True)
class Value:
    """``name``: with dots, from the top. ``comment``: one line, without its marks."""

    name: str
    default: object
    comment: str


def read_schema(chart: Path = CHART) -> dict[str, Any]:
    """Read the schema."""
    schema: dict[str, Any] = json.loads((chart / "values.schema.json").read_text())
    return schema


def read_values(chart: Path = CHART) -> list[Value]:
    """Give every value, in the order of the file."""
    text = (chart / "values.yaml").read_text()
    comments = dict(_comments(text.splitlines()))
    defaults = _leaves(yaml.safe_load(text), read_schema(chart))
    return [Value(name, default, comments.get(name, "")) for name, default in defaults]


def _leaves(values: Mapping[str, Any], schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        part = schema.get("properties", {}).get(name, {})
        if "properties" in part:
            yield from _leaves(value, part, f"{path}{name}.")
        else:
            yield path + name, value


def _comments(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give the comment directly above each key; deeper keys than the schema's do no harm."""
    above: list[str] = []
    path: list[str] = []
    for line in lines:
        if line.lstrip().startswith("#"):
            above.append(line.lstrip(" #"))
            continue
        if key := _KEY.match(line):
            path = [*path[: len(key[1]) // 2], key[2]]
            yield ".".join(path), " ".join(above)
        above = []


def readme(chart: Path = CHART) -> str:
    """Write the README anew: the text up to its tables, then a table for each group."""
    text = (chart / "README.md").read_text()
    head, mark, _ = text.partition("## All values\n")
    assert mark, 'The README has no heading "All values".'
    groups: dict[str, list[Value]] = {}
    for value in read_values(chart):
        groups.setdefault(_group(value.name), []).append(value)
    return head + mark + "".join(_table(group, values) for group, values in groups.items()) + _parents()


def _group(name: str) -> str:
    first, dot, _ = name.partition(".")
    return first if dot else ""


def _table(group: str, values: list[Value]) -> str:
    title = f"\n### {group}\n" if group else ""
    rows = [f"| `{value.name}` | {_shown(value.default)} | {_cell(value.comment)} |\n" for value in values]
    return f"{title}\n| value | default | is |\n|---|---|---|\n{''.join(rows)}"


def _shown(default: object) -> str:
    """Show a default as JSON, which is YAML too."""
    return f"`{_cell(json.dumps(default))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _parents() -> str:
    rows = "".join(f"| `{name}` | {comment} |\n" for name, comment in OF_A_PARENT_CHART.items())
    return f"\n### In a parent chart\n\n| value | is |\n|---|---|\n{rows}"
