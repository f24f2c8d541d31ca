"""What the documents say of files, settings, flags and annotations is there."""

from __future__ import annotations

import configparser
import dataclasses
import re
from pathlib import Path

import pytest

from tests.documents.blocks import DOCUMENTS
from tests.examples.servers import ROOT
from wardgate.api.kinds.annotations import KNOWN_ON
from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS, GUARDS, ForeignKind
from wardgate.inja.limits import TemplateLimits
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts
from wardgate.settings import Settings

SETTINGS = (ROOT / "docs" / "settings.md").read_text()
UNITS = {"": 1, "KiB": 1024, "MiB": 1024 * 1024}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [] == [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_anchor_leads_to_a_heading(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)", path.read_text())
    assert [] == [
        (file, anchor) for file, anchor in links if anchor not in anchors(path.parent / file if file else path)
    ]


def anchors(path: Path) -> set[str]:
    """The anchors that code hosts give to headings: lower case, no punctuation, hyphens for blanks."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("kind", [Limits, Timeouts, ProxySettings])
def test_every_setting_of_the_proxy_is_documented(kind: type[Limits | Timeouts | ProxySettings]) -> None:
    names = {field.name for field in dataclasses.fields(kind)} - {"limits", "timeouts"}
    assert set() == {name for name in names if f"`{name}`" not in SETTINGS}


def test_every_setting_of_translate_is_documented() -> None:
    bounds = {f"template_limits.{field.name}" for field in dataclasses.fields(TemplateLimits)}
    names = {field.name for field in dataclasses.fields(Settings)} | bounds
    assert set() == {name for name in names - {"template_limits"} if f"`{name}`" not in SETTINGS}


@pytest.mark.parametrize("field", dataclasses.fields(Timeouts), ids=lambda field: str(field.name))
def test_a_documented_time_is_the_default(field: dataclasses.Field[float]) -> None:
    times = SETTINGS.partition("## Time-outs")[2].partition("\n## ")[0]
    (row,) = [line for line in times.splitlines() if line.startswith(f"| `{field.name}` |")]
    assert field.default == float(row.split("|")[2])


def test_a_documented_limit_is_the_default() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Limits)}
    bounds = {f"template_limits.{field.name}": field.default for field in dataclasses.fields(TemplateLimits)}
    limits = SETTINGS.partition("## Limits of the proxy")[2].partition("\n## ")[0]
    templates = SETTINGS.partition("## Bounds of templates")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d,]+)(?: (KiB|MiB))?(?:, [\w ]+)? \|", limits + templates, re.MULTILINE)
    shown = {name: int(number.replace(",", "")) * UNITS[unit] for name, number, unit in rows}
    assert {**defaults, **bounds} == shown


def test_a_documented_default_of_translate_is_the_default() -> None:
    text = SETTINGS.partition("## Settings of translate")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\S+)`|([\d,]+)(?: (KiB|MiB))?|(false|true)) \|", text, re.MULTILINE)
    shown = {
        name: word or (truth == "true" if truth else int(number.replace(",", "")) * UNITS[unit])
        for name, word, number, unit, truth in rows
    }
    defaults = Settings()

    assert {"tenancy", "require_auth", "guest_tables", "credential_bytes", "cluster_domain"} <= set(shown)
    assert {name: getattr(defaults, name) for name in shown} == shown


@pytest.mark.parametrize(("name", "kind"), sorted(KNOWN_ON.items()))
def test_every_annotation_is_documented(name: str, kind: str) -> None:
    text = (ROOT / "docs" / "annotations.md").read_text()
    assert re.search(rf"^\| `{re.escape(name)}` \| [^|]*\b{kind} \|", text, re.MULTILINE)
    assert f"\n## `{name}`\n" in text


def test_every_reason_is_in_the_table_of_refusals_with_its_status() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "operator" / "wardgate").rglob("*.py"))
    closed = {reason: status for status, reason in re.findall(r'Refuse\((\d+), "(\w+)"\)', sources)}
    answered = {str(reason): str(reply.status) for reason, reply in REFUSALS.items()}
    of_basic = dict.fromkeys((ReplyReason.PASSWORD_MISSING, ReplyReason.PASSWORD_WRONG), "401")
    in_gloos_words = dict.fromkeys(
        (ReplyReason.TRANSFORMATION_FAILED, ReplyReason.TRANSFORMATION_TOO_COSTLY, ReplyReason.BODY_TOO_COMPLEX), "400"
    )
    cut = dict.fromkeys(
        (ReplyReason.CALLER_GONE, ReplyReason.CALLER_TOO_SLOW, ReplyReason.KEY_REVOKED, ReplyReason.IDLE_TIMEOUT), "-"
    )
    not_let_in = dict.fromkeys((ReplyReason.PROXY_HEADER, ReplyReason.PROXY_UNTRUSTED), "-")
    expected = {**closed, **answered, **of_basic, **in_gloos_words, **cut, **not_let_in}

    table = (
        (ROOT / "SECURITY.md").read_text().partition("## What a refused request is answered")[2].partition("\n## ")[0]
    )
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    shown = {reason: row[2].strip() for row in rows for reason in re.findall(r"`([a-z_]+)`", row[3])}

    assert expected == shown
    by_design = {ReplyReason.REDIRECT, ReplyReason.DIRECT_RESPONSE, ReplyReason.MAX_FORWARDS}
    assert set(ReplyReason) - by_design <= set(expected)


def test_every_command_is_in_the_readme() -> None:
    commands = {path.stem for path in (ROOT / "operator" / "wardgate" / "cli").glob("*.py")}
    shown = {name for name in commands if f"`wardgate {name}" in (ROOT / "README.md").read_text()}
    assert {"run", "check", "render", "crds", "operator", "proxy", "status", "version"} == shown


def test_the_layers_are_those_that_are_enforced() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    enforced = re.findall(r"\w+", contracts["importlinter:contract:layers"]["layers"])
    pure = contracts["importlinter:contract:pure"]["source_modules"].replace("wardgate.", "").split()

    text = (ROOT / "ARCHITECTURE.md").read_text().partition("\n## 5. Layers")[2].partition("\n### Rooms")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    told = re.search(r"The pure packages \(`([^`]+)`, and the modules `([^`]+)`\)", text)

    assert sorted(enforced) == sorted(re.findall(r"`(\w+)`", "".join(rows)))
    assert told is not None
    assert sorted(pure) == sorted(told[1].replace("/", ".").split() + told[2].split())


def test_the_rooms_are_those_that_are_enforced() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layered = [contract for contract in contracts.values() if contract.get("type") == "layers"]
    enforced = {
        contract["containers"].strip(): [re.findall(r"\w+", line) for line in contract["layers"].split("\n") if line]
        for contract in layered
    }
    del enforced["wardgate"]

    text = (ROOT / "ARCHITECTURE.md").read_text().partition("\n### Rooms")[2].partition("\n## 6. ")[0]
    tables = re.findall(r"^\| room of `([\w/]+)` \|.*\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    told = {
        f"wardgate.{package.replace('/', '.')}": [
            re.findall(r"`(\w+)`", row.split("|")[1]) for row in rows.splitlines()
        ]
        for package, rows in tables
    }

    assert enforced == told


@pytest.mark.parametrize("kind", [kind for kind in FOREIGN_KINDS.values() if kind.loss], ids=lambda kind: kind.name)
def test_every_foreign_kind_that_is_missed_is_documented(kind: ForeignKind) -> None:
    text = (ROOT / "docs" / "gloo-migration.md").read_text()
    section = text.partition("\n## Kinds that Wardgate does not implement\n")[2].partition("\n## ")[0]

    assert f"`{kind.kind}`" in section


def test_guards_are_documented_as_those_that_close() -> None:
    text = (ROOT / "docs" / "gloo-migration.md").read_text()
    (row,) = (line for line in text.splitlines() if "| guards: " in line)

    assert set(GUARDS) == set(re.findall(r"`([A-Z]\w+)`", row.partition("| guards")[0]))
