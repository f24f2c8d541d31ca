"""What the documents say of files, settings, flags and annotations is there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from tests.examples.servers import EXAMPLES, ROOT
from wardgate.api.annotations import CREDENTIAL_HEADERS, EXPIRES_AT, FORWARD_CREDENTIAL, UPSTREAM_HOSTS
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts
from wardgate.settings import Settings, TemplateLimits

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *EXAMPLES.glob("*/README.md")])
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [] == [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("kind", [Limits, Timeouts, ProxySettings])
def test_every_setting_of_the_proxy_is_documented(kind: type[Limits | Timeouts | ProxySettings]) -> None:
    names = {field.name for field in dataclasses.fields(kind)} - {"limits", "timeouts"}
    assert set() == {name for name in names if f"`{name}`" not in SETTINGS}


def test_every_setting_of_translate_is_documented() -> None:
    names = {*Settings.model_fields, *(f"template_limits.{name}" for name in TemplateLimits.model_fields)}
    assert set() == {name for name in names - {"template_limits"} if f"`{name}`" not in SETTINGS}


@pytest.mark.parametrize("field", dataclasses.fields(Timeouts), ids=lambda field: str(field.name))
def test_a_documented_time_is_the_default(field: dataclasses.Field[float]) -> None:
    times = SETTINGS.partition("## Time-outs")[2].partition("\n## ")[0]
    (row,) = [line for line in times.splitlines() if line.startswith(f"| `{field.name}` |")]
    assert field.default == float(row.split("|")[2])


@pytest.mark.parametrize("name", [CREDENTIAL_HEADERS, EXPIRES_AT, FORWARD_CREDENTIAL, UPSTREAM_HOSTS])
def test_every_annotation_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "annotations.md").read_text()


def test_every_command_is_in_the_readme() -> None:
    commands = {path.stem for path in (ROOT / "operator" / "wardgate" / "cli").glob("*.py")}
    shown = {name for name in commands if f"`wardgate {name}" in (ROOT / "README.md").read_text()}
    assert {"run", "check", "render", "crds", "operator", "proxy", "status", "version"} == shown
