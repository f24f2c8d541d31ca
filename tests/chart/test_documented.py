"""Every value is documented, in the file that sets it and in the README that is made of it."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.chart.documented import OF_A_PARENT_CHART, read_values, readme
from tests.chart.helm import CHART, Helm

README = (CHART / "README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_value_has_a_comment() -> None:
    assert [] == [value.name for value in read_values() if not value.comment.endswith(".")]


def test_the_readme_is_made_of_the_values() -> None:
    assert readme() == README, "run: python -m tests.chart.write_readme"


def test_the_readme_names_every_value_once() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", README.partition("## All values")[2], re.MULTILINE)

    assert sorted([*(value.name for value in read_values()), *OF_A_PARENT_CHART]) == sorted(rows)


def test_the_readme_names_every_alert() -> None:
    groups = yaml.safe_load((CHART / "monitoring" / "alerts.yaml").read_text())["groups"]
    severities = {rule["alert"]: rule["labels"]["severity"] for group in groups for rule in group["rules"]}
    rows = re.findall(r"^\| (`Wardgate\w+`(?:, `\w+`)*) \| (\w+) \|", README, re.MULTILINE)

    assert severities == {name: severity for names, severity in rows for name in re.findall(r"\w+", names)}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_readme_renders(helm: Helm, example: str) -> None:
    assert helm.render(yaml.safe_load(example))
