"""``kubectl wardgate``: the real kubectl finds the command, and what krew installs finds the package."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import ROOT
from wardgate import __version__

BIN = Path(sys.executable).parent
LAB = ROOT / "examples" / "huggingface"


@pytest.fixture
def kubectl(control_plane_folder: Path) -> Path:
    """The real one."""
    return control_plane_folder / "kubectl"


def run(program: Path, *arguments: str | Path, path: Path) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": f"{path}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": "/nowhere"}
    return subprocess.run(
        [program, *arguments], env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def test_kubectl_runs_the_command_of_the_package(kubectl: Path) -> None:
    ended = run(kubectl, "wardgate", "check", LAB, path=BIN)

    assert (0, run(BIN / "wardgate", "check", LAB, path=BIN).stdout) == (ended.returncode, ended.stdout)


@pytest.mark.parametrize("command", [(), ("status",)])
def test_help_says_what_a_user_of_kubectl_types(kubectl: Path, command: tuple[str, ...]) -> None:
    text = run(kubectl, "wardgate", *command, "--help", path=BIN).stdout

    assert text.startswith(f"Usage: {' '.join(('kubectl wardgate', *command))} [OPTIONS]")
    assert "  $ kubectl wardgate " in text
    assert "$ wardgate " not in text


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """The folder with what the release publishes for krew."""
    subprocess.run([sys.executable, "-m", "release.kubectl_plugin", tmp_path], cwd=ROOT, timeout=60, check=True)
    return tmp_path


def installed(packed: Path) -> Path:
    """Unpack the archive as krew does; return the folder."""
    target = packed / "bin"
    with tarfile.open(packed / "kubectl-wardgate.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return target


@pytest.mark.parametrize(
    ("runner", "expected"),
    [
        ("uvx", f"--from wardgate=={__version__} kubectl-wardgate status --context here"),
        ("pipx", f"run --spec wardgate=={__version__} kubectl-wardgate status --context here"),
    ],
)
def test_plugin_of_krew_runs_the_package_of_its_version(
    kubectl: Path, packed: Path, runner: str, expected: str
) -> None:
    path = installed(packed)
    (path / runner).write_text('#!/bin/sh\necho "$@"\n')
    (path / runner).chmod(0o755)

    assert f"{expected}\n" == run(kubectl, "wardgate", "status", "--context", "here", path=path).stdout


def test_plugin_of_krew_says_what_it_needs(kubectl: Path, packed: Path) -> None:
    ended = run(kubectl, "wardgate", "status", path=installed(packed))

    assert 0 != ended.returncode
    assert f"runs the Python package wardgate=={__version__} with uv or pipx, and neither is" in ended.stderr


def test_manifest_of_krew_names_the_archive_by_its_hash(packed: Path) -> None:
    spec = yaml.safe_load((packed / "wardgate.yaml").read_text())["spec"]
    (platform,) = spec["platforms"]
    archive = packed / "kubectl-wardgate.tar.gz"

    assert hashlib.sha256(archive.read_bytes()).hexdigest() == platform["sha256"]
    assert f"v{__version__}" == spec["version"]
    assert platform["uri"].endswith(f"/releases/download/v{__version__}/{archive.name}")
    with tarfile.open(archive) as opened:
        assert opened.getnames() == [each["from"] for each in platform["files"]]
    assert "@" not in (packed / "wardgate.yaml").read_text().partition("apiVersion")[2]


def test_archive_is_the_same_again(packed: Path) -> None:
    before = (packed / "kubectl-wardgate.tar.gz").read_bytes()
    subprocess.run([sys.executable, "-m", "release.kubectl_plugin", packed], cwd=ROOT, timeout=60, check=True)

    assert before == (packed / "kubectl-wardgate.tar.gz").read_bytes()
