"""What ``--set NAME=VALUE`` may name, and what comes of it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import typer

from tests.cli.command_line import Wardgate
from tests.standalone.lab import TRANSFORMATION, write_lab
from wardgate.cli.options import assignments
from wardgate.cli.options.assignments import (
    OWN_OPTIONS,
    SETTINGS,
    Assignment,
    parse_assignment,
    to_the_proxy,
    to_the_translation,
)
from wardgate.inja.limits import TemplateLimits
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts
from wardgate.settings import Settings

SETTINGS_MD = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
DOCUMENTED = re.findall(r"^\| `.*`--set ([^` ]+)`", SETTINGS_MD, flags=re.MULTILINE)
GROUPS = {"limits", "timeouts", "template_limits"}
PROBES = ("0.5", "1", "200", "true", "10.0.0.0/8", "10.0.0.1:443", "app=gate", "prod")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_lab(tmp_path / "lab")


def assigned(*texts: str) -> list[Assignment]:
    return [parse_assignment(text) for text in texts]


def readable(name: str) -> Assignment:
    for probe in PROBES:
        try:
            return parse_assignment(f"{name}={probe}")
        except typer.BadParameter:
            continue
    pytest.fail(f"Nothing can be assigned to {name}.")


FOUND_OUT = {"refused_secrets"}
"""By the operator; nobody sets it."""


def test_every_setting_has_exactly_one_way_to_set_it() -> None:
    every = {
        *(f"limits.{field.name}" for field in dataclasses.fields(Limits)),
        *(f"timeouts.{field.name}" for field in dataclasses.fields(Timeouts)),
        *(f"template_limits.{field.name}" for field in dataclasses.fields(TemplateLimits)),
        *({field.name for field in dataclasses.fields(ProxySettings)} - GROUPS),
        *({field.name for field in dataclasses.fields(Settings)} - GROUPS - FOUND_OUT),
        "watch_silence",
    }

    assert every == SETTINGS.keys() | OWN_OPTIONS.keys()
    assert set() == SETTINGS.keys() & OWN_OPTIONS.keys()


def test_every_row_of_the_document_says_how_to_set_it() -> None:
    rows = re.findall(r"^\| `[a-z_.]+`.*$", SETTINGS_MD, flags=re.MULTILINE)

    assert sorted(SETTINGS) == sorted(text.partition("=")[0] for text in DOCUMENTED)
    assert [] == [row for row in rows if not re.search(r"\| `--(set )?[a-z]", row)]
    assert [] == [option for option in OWN_OPTIONS.values() if f"| `{option}" not in SETTINGS_MD.replace("`, `", "| `")]


@pytest.mark.parametrize("text", [text for text in DOCUMENTED if text.partition(".")[0] in GROUPS])
def test_documented_default_is_the_default(text: str) -> None:
    group, _, field = text.partition("=")[0].partition(".")
    defaults = {"limits": Limits(), "timeouts": Timeouts(), "template_limits": TemplateLimits()}[group]

    assert getattr(defaults, field) == parse_assignment(text).value


@pytest.mark.parametrize("text", [text for text in DOCUMENTED if text.partition(".")[0] not in GROUPS])
def test_documented_value_is_read(text: str) -> None:
    assert text.partition("=")[0] == parse_assignment(text).setting.name


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.part == "proxy"])
def test_every_setting_of_the_proxy_arrives(name: str) -> None:
    group, _, field = name.rpartition(".")
    one = readable(name)
    settings = to_the_proxy(ProxySettings(), [one])
    arrived = getattr(settings, group) if group else settings

    assert one.value == getattr(arrived, field)
    assert one.value != getattr(type(arrived)(), field)


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.part == "translate"])
def test_every_setting_of_the_translation_arrives(name: str) -> None:
    one = readable(name)
    settings = to_the_translation(Settings(), [one])
    group, _, field = name.rpartition(".")

    assert one.value == getattr(settings.template_limits if group else settings, field)
    assert settings != Settings()


def test_silence_of_watches_arrives_and_can_only_be_shortened() -> None:
    assert 75.0 == assignments.watch_silence((), default=75.0)
    assert 20.0 == assignments.watch_silence(assigned("watch_silence=20"), default=75.0)
    with pytest.raises(typer.BadParameter, match="from 1 to 75"):
        parse_assignment("watch_silence=76")


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.startswith("template_limits.")])
def test_template_limit_has_bounds(name: str) -> None:
    highest = {"template_limits.nesting": 200, "template_limits.value_depth": 500}.get(name, 10**9)

    assert highest == parse_assignment(f"{name}={highest}").value
    for outside in (0, max(highest, 1 << 40) + 1):
        with pytest.raises(typer.BadParameter):
            parse_assignment(f"{name}={outside}")


def test_lists_and_labels_grow_and_other_values_are_replaced() -> None:
    settings = to_the_translation(
        Settings(),
        assigned(
            *("allow_cidrs=10.0.0.0/8,192.168.0.0/16", "allow_cidrs=172.16.0.0/12"),
            *("gateway_labels=app=gate", "gateway_labels=istio=ingress", "gateway_labels=app=door"),
            *("cluster_name=one", "cluster_name=two", "template_limits.steps=1", "template_limits.steps=2"),
        ),
    )

    assert ("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12") == settings.allow_cidrs
    assert {"app": "door", "istio": "ingress"} == settings.gateway_labels
    assert ("two", 2) == (settings.cluster_name, settings.template_limits.steps)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limits.head_byts=1", 'There is no setting "limits.head_byts"; did you mean limits.head_bytes?'),
        ("head_bytes=1", "did you mean limits.head_bytes?"),
        ("pool_idle=1", "did you mean limits.pool_idle or timeouts.pool_idle?"),
        ("zzz=1", 'There is no setting "zzz"; --help lists them.'),
        ("tenancy=isolated", "tenancy has an option of its own: --tenancy."),
        ("ports=80=8080", "ports has an option of its own: --port."),
        ("timeouts.connect", "timeouts.connect has no value; write timeouts.connect=VALUE. It takes seconds such as"),
        ("timeouts.connect=3s", 'timeouts.connect takes seconds such as 2.5, from 0.001 to 1000000, not "3s".'),
        ("limits.head_bytes=lots", "limits.head_bytes takes a size such as 128KiB"),
        ("template_limits.nesting=201", "template_limits.nesting takes a whole number from 1 to 200"),
        ("user_id_to_external=yes", 'user_id_to_external takes true or false, not "yes".'),
        ("allow_cidrs=10.1.2.3/8", "allow_cidrs takes networks such as 10.0.0.0/8"),
        ("denied_addresses=kube:443", "denied_addresses takes addresses such as 10.96.0.1:443"),
        ("gateway_labels=app", "gateway_labels takes labels such as app="),
        ("limits.head_bytes=1,timeouts.connect=3", '"timeouts.connect=3" is a setting of its own'),
        ("gateway_labels=app=x,cluster_name=prod", '"cluster_name=prod" is a setting of its own'),
    ],
)
def test_wrong_assignment_is_a_usage_error_that_says_what_to_write(
    wardgate: Wardgate, lab: Path, text: str, words: str
) -> None:
    ended = wardgate("run", "lab", "--set", text)

    assert 2 == ended.status
    assert words in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("command", "text", "who"),
    [
        (("check", "lab"), "limits.head_bytes=1", "the proxy"),
        (("render", "lab", "--request", "/x"), "timeouts.connect=1", "the proxy"),
        (("proxy", "--config", "bundle.json"), "cluster_name=prod", "the translation"),
    ],
)
def test_setting_of_the_other_part_is_refused(
    wardgate: Wardgate, lab: Path, command: tuple[str, ...], text: str, who: str
) -> None:
    ended = wardgate(*command, "--set", text)

    assert 2 == ended.status
    assert f"{text.partition('=')[0]} is a setting of {who}; this command has no use for it." in ended.err


def test_variable_may_serve_several_commands(wardgate: Wardgate, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDGATE_SET", "limits.head_bytes=128KiB template_limits.template_bytes=3")
    ended = wardgate("check", "lab")

    assert 1 == ended.status
    assert "3 bytes" in ended.out


def test_mistake_in_the_variable_is_refused(wardgate: Wardgate, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDGATE_SET", "limits.head_bytes=lots")
    ended = wardgate("check", "lab")

    assert 2 == ended.status
    assert "limits.head_bytes takes a size" in ended.err


def test_command_line_replaces_the_variable(wardgate: Wardgate, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDGATE_SET", "template_limits.template_bytes=3")
    ended = wardgate("check", "lab", "--set", "template_limits.steps=1000000")

    assert 0 == ended.status


def test_check_and_render_follow_the_same_limit(wardgate: Wardgate, lab: Path) -> None:
    limit = ("--set", "template_limits.template_bytes=3")
    assert "{{ huggingface-api-key }}" in TRANSFORMATION

    assert (0, 1) == (wardgate("check", "lab").status, wardgate("check", "lab", *limit).status)
    assert "3 bytes" in wardgate("render", "lab", "--request", "POST /huggingface", *limit).err


def test_share_of_a_caller_is_a_percentage() -> None:
    with pytest.raises(typer.BadParameter, match="from 1 to 100"):
        parse_assignment("limits.caller_share=101")
