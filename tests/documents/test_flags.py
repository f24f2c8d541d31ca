"""Options, targets and build arguments that the documents name are there, in commands and within sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.documents.blocks import DOCUMENTS, ROOT, commands_of, name_of
from wardgate.cli.main import COMMANDS, application

TEMPLATES = [*DOCUMENTS, ROOT / "charts" / "wardgate" / "templates" / "NOTES.txt"]
_GROUP: Any = get_command(application(*COMMANDS))
PARSERS: Mapping[str, Any] = _GROUP.commands
OPTIONS = {
    name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    | {"--help", "-h"}
    for name, command in PARSERS.items()
}
OF_OTHERS = {
    "--approve": "eksctl",
    "--attach-policy-arn": "eksctl",
    "--build-arg": "docker build",
    "--cluster-name": "aws eks",
    "--encryption-config": "aws eks",
    "--force": "kubectl replace",
    "--health": "argocd app wait",
    "--kms-key-id": "aws secretsmanager",
    "--name": "aws and eksctl",
    "--patch-file": "kubectl patch",
    "--policy-document": "aws iam",
    "--policy-name": "aws iam",
    "--role-name": "eksctl",
    "--role-only": "eksctl",
    "--secret-string": "aws secretsmanager",
    "--strict": "mkdocs",
    "--take-ownership": "helm",
    "--values": "helm",
    "--case": "benchmarks",
    "--cases": "tests/proxy/both_ways",
    "--live": "tests/proxy/both_ways",
    "--checkout": "benchmarks",
    "--compiled": "benchmarks",
    "--core": "benchmarks",
    "--program": "benchmarks",
    "--create-namespace": "helm",
    "--force-conflicts": "kubectl",
    "--field-selector": "kubectl",
    "--for": "kubectl wait",
    "--minutes": "benchmarks",
    "--namespace": "helm",
    "--no-deps": "pip",
    "--require-hashes": "pip",
    "--rounds": "benchmarks",
    "--source-only": "benchmarks",
    "--profile": "benchmarks",
    "--requests": "benchmarks",
    "--seconds": "benchmarks",
    "--servers": "benchmarks",
    "--reset-then-reuse-values": "helm",
    "--server-side": "kubectl",
    "--show-tokens": "examples/provider and examples/demo",
    "--skip-crds": "helm",
    "--timeout": "kubectl wait",
    "--wait": "helm",
    "--host": "examples/provider",
    "--json": "benchmarks",
    "--hold-streams": "examples/provider",
    "--ca-file": "examples/provider",
    "--certificate": "examples/provider",
    "--certificate-identity-regexp": "cosign",
    "--certificate-oidc-issuer": "cosign",
    "--manifest": "kubectl krew",
    "--platform": "docker buildx build",
    "--type": "cosign",
    "--write": "release.base_image",
    "--cluster": "eksctl",
}


def in_code(text: str) -> list[str]:
    """Give inline code and the lines of blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [*(re.sub(r"\\\n", " ", block) for block in blocks), *(" ".join(one.split()) for one in inline)]


def wardgate_lines(text: str) -> Iterator[list[str]]:
    """Give every command line of ours, from the name of the command on."""
    for line in re.findall(r"\bwardgate ((?:run|check|render|crds|operator|proxy|status|version)\b[^\n|]*)", text):
        yield shlex.split(line.replace("...", ""), comments=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_option_of_a_command_line_is_one_of_that_command(path: Path) -> None:
    lines = [line for code in in_code(path.read_text()) for line in wardgate_lines(code)]
    unknown = [(line[0], word) for line in lines for word in options_in(line) if word not in OPTIONS[line[0]]]

    assert [] == unknown


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_option_that_is_named_is_there(path: Path) -> None:
    known = set.union(*OPTIONS.values()) | set(OF_OTHERS)
    named = {word for code in in_code(path.read_text()) for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)}

    assert set() == named - known


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_target_of_make_that_is_named_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for code in in_code(path.read_text()) for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", code)}

    assert set() == named - targets


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_help_use_options_of_the_command(name: str) -> None:
    lines = list(wardgate_lines(PARSERS[name].help or ""))

    assert name in [line[0] for line in lines]
    assert [] == [(line[0], word) for line in lines for word in options_in(line) if word not in OPTIONS[line[0]]]


def test_every_build_argument_that_is_shown_is_in_the_dockerfile() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(r"--build-arg (\w+)=", path.read_text())}

    assert {"VERSION", "BASE_IMAGE"} == named
    assert set() == named - set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))


def test_what_is_built_is_what_is_pushed_and_installed() -> None:
    build, push, install, *_ = commands_of(ROOT / "docs" / "install.md")
    image = shlex.split(build.text)[3]

    assert image == shlex.split(push.text)[2]
    assert f"image.repository={image.rpartition(':')[0]}" in shlex.split(install.text)


def options_in(line: list[str]) -> list[str]:
    """Give the options of a command line, without their values."""
    return [word.partition("=")[0] for word in line if re.fullmatch(r"--?[a-zA-Z][\w-]*(=.*)?", word)]
