"""The command line explains itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import pytest

from tests.cli.command_line import Wardgate
from wardgate import __version__

COMMANDS = ("run", "check", "render", "crds", "operator", "proxy", "status", "version")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_shows_an_example(wardgate: Wardgate, command: str) -> None:
    ended = wardgate(command, "--help")

    assert 0 == ended.status
    assert f"\n    $ wardgate {command}" in ended.out
    assert all(len(line) <= 110 for line in ended.out.splitlines())


def test_help_names_every_command(wardgate: Wardgate) -> None:
    ended = wardgate("--help")

    assert all(f"\n  {command} " in ended.out for command in COMMANDS)
    assert "$ wardgate run examples/huggingface" in ended.out


def test_list_of_commands_says_whole_what_each_does(wardgate: Wardgate) -> None:
    lines = wardgate("--help").out.partition("Commands:")[2].split("\n")[1:]

    assert list(COMMANDS) == [line.split()[0] for line in lines if line]
    assert [] == [line for line in lines if line and (line.endswith("...") or not line.endswith("."))]


@pytest.mark.parametrize("command", ["run", "proxy"])
@pytest.mark.parametrize("option", ["--bind", "--port", "--resolve", "--upstream-ca", "--workers", "--admin"])
def test_both_ways_to_serve_have_the_same_options(wardgate: Wardgate, command: str, option: str) -> None:
    assert f"  {option} " in wardgate(command, "--help").out


@pytest.mark.parametrize(
    ("command", "shown", "hidden"),
    [
        ("run", ["limits.{head_bytes,", "timeouts.{head,", "cluster_name,", "template_limits.{template_bytes,"], ()),
        ("proxy", ["limits.{head_bytes,", "timeouts.{head,"], ["cluster_name"]),
        ("check", ["cluster_domain,", "template_limits.{template_bytes,"], ["head_bytes"]),
        ("render", ["cluster_domain,", "template_limits.{template_bytes,"], ["head_bytes"]),
    ],
)
def test_help_names_every_setting_that_the_command_has(
    wardgate: Wardgate, command: str, shown: Sequence[str], hidden: Sequence[str]
) -> None:
    out = wardgate(command, "--help").out
    explained = " ".join(out.partition("--set NAME=VALUE")[2].split())

    assert [] == [name for name in shown if name not in explained]
    assert [] == [name for name in hidden if name in explained]
    assert ", for example " in explained
    assert "docs/settings.md" in explained
    assert "WARDGATE_SET" in explained
    assert " --set " in out.partition("Examples:")[2].partition("Options:")[0]


def test_nothing_typed_shows_the_help(wardgate: Wardgate) -> None:
    ended = wardgate()

    assert "Commands:" in ended.out + ended.err


def test_version_names_schema_python_and_form(wardgate: Wardgate) -> None:
    ended = wardgate("version")

    form = os.environ.get("TESTED_FORM", "plain Python")
    assert f"wardgate {__version__} (config schema 1.0, Python {platform.python_version()}, {form})\n" == ended.out


def test_unknown_command_is_a_usage_error_without_a_traceback(wardgate: Wardgate) -> None:
    ended = wardgate("serve")

    assert 2 == ended.status
    assert "serve" in ended.err
    assert "Traceback" not in ended.err
