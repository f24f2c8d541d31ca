"""The Dockerfile's own steps, followed in a folder, end at commands that run compiled. An engine is not needed.

Collected by ``make test-compiled`` alone, which has compiled the wheel already (``tests/chart/conftest.py``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.chart.dockerfile import Follower, outside_environment, read_dockerfile
from tests.chart.idle_proxy import idle_proxy, kubeconfig_of_nobody
from tests.chart.pod_memory import pod_memory
from tests.cluster.ports import free_port
from tests.kube.published import PORT, bundle_of_routes
from wardgate import __version__
from wardgate.standalone.handover.bundle_file import write_bundle

pytestmark = pytest.mark.slow

MEGABYTES = 90
"""What the environment may take; the symbols that are stripped would be a third more, the package kubernetes twice."""
MEBIBYTES = 90
"""What an idle pod with one worker may hold."""
CPU_SECONDS = 0.8
"""What a proxy may compute until it follows a cluster: less than half a second where nobody else uses the caches, and
half as much again on a machine that runs twenty programs. The package kubernetes alone was as much."""
TRIES = 5
HERE = Path(sys.prefix)
"""The environment of this run, which the Makefile made of the wheel beside it."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the image gets, made by the steps of the build, with the wheel of this run."""
    folder = tmp_path_factory.mktemp("image")
    base = folder / "base"
    venv.create(base, with_pip=True)
    (wheel,) = (HERE / "dist").glob("*.whl")
    follower = Follower(folder / "root", outside_environment(base / "bin" / "python3"), wheel=wheel)
    follower.root.mkdir()
    build, _ = read_dockerfile()
    follower.follow(build)
    return follower.inside("/opt/wardgate")


@pytest.fixture(scope="module")
def variables(built: Path) -> dict[str, str]:
    """The environment variables of a container."""
    _, image = read_dockerfile()
    return {**image.environment(), "PATH": str(built / "bin")}


def _run(built: Path, *command: str) -> subprocess.CompletedProcess[str]:
    _, image = read_dockerfile()
    variables = {**image.environment(), "PATH": str(built / "bin")}
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", ["operator", "proxy"])
def test_the_steps_of_the_build_give_a_working_command(built: Path, command: str) -> None:
    ended = _run(built, str(built / "bin" / "wardgate"), command, "--help")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert f"wardgate {command}" in ended.stdout


def test_the_image_is_this_version_and_compiled(built: Path) -> None:
    said = _run(built, str(built / "bin" / "wardgate"), "version").stdout

    assert said.startswith(f"wardgate {__version__} ")
    assert said.endswith(", compiled)\n")


def test_the_image_has_no_installer_and_no_tools_of_the_build(built: Path) -> None:
    code = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    names = _run(built, str(built / "bin" / "python"), "-c", code).stdout.split()

    assert "wardgate" in names
    assert set() == set(names) & {"pip", "setuptools", "hatchling", "mypy", "pytest"}


def test_every_module_is_compiled_and_running_writes_nothing(built: Path) -> None:
    before = {path for path in built.rglob("*") if path.is_file()}
    sources = [path for path in before if path.suffix == ".py" and "wardgate" in path.parts]
    tag = sys.implementation.cache_tag

    _run(built, str(built / "bin" / "wardgate"), "crds")

    assert [] == [path for path in sources if path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" not in before]
    assert before == {path for path in built.rglob("*") if path.is_file()}


def test_the_environment_is_small(built: Path) -> None:
    size = sum(path.lstat().st_size for path in built.rglob("*") if not path.is_dir())

    assert size <= MEGABYTES * 1_000_000


def test_every_module_of_the_product_finds_what_it_imports(built: Path) -> None:
    """Compiled and stripped: an extension that strip broke shows when it is loaded, and so does a package left out."""
    code = (
        "import importlib, pkgutil, wardgate\n"
        "for each in pkgutil.walk_packages(wardgate.__path__, 'wardgate.'):\n"
        "    if not each.name.endswith('__main__'):\n"
        "        importlib.import_module(each.name)\n"
    )
    ended = _run(built, str(built / "bin" / "python"), "-c", code)

    assert (0, "") == (ended.returncode, ended.stderr)


def test_the_list_of_packages_names_all_that_are_there(built: Path) -> None:
    code = "import importlib.metadata as m; print(*sorted(f'{d.name}=={d.version}' for d in m.distributions()))"
    there = _run(built, str(built / "bin" / "python"), "-c", code).stdout.split()

    bom = json.loads((built / "sbom.cdx.json").read_text())

    listed = [bom["metadata"]["component"], *bom["components"]]
    assert there == sorted(f"{each['name']}=={each['version']}" for each in listed)
    assert ("CycloneDX", "application") == (bom["bomFormat"], bom["metadata"]["component"]["type"])
    assert {each["bom-ref"] for each in listed} == {each["ref"] for each in bom["dependencies"]}


def test_a_proxy_follows_a_cluster_at_once(built: Path, variables: dict[str, str], tmp_path: Path) -> None:
    options = ("--cluster", "--kubeconfig", str(kubeconfig_of_nobody(tmp_path)))
    took = []
    for _ in range(TRIES):
        with idle_proxy(built / "bin" / "wardgate", *options, word=" follows ", variables=variables) as proxy:
            took.append(proxy.cpu_seconds)

    assert min(took) <= CPU_SECONDS


def test_an_idle_pod_is_small(built: Path, variables: dict[str, str], tmp_path: Path) -> None:
    """The supervisor of a proxy that follows a cluster, and a worker that serves a config."""
    program, config = built / "bin" / "wardgate", tmp_path / "bundle.json"
    cluster = ("--cluster", "--kubeconfig", str(kubeconfig_of_nobody(tmp_path)))
    port = free_port()
    file = ("--config", str(config), "--port", f"{PORT}={port}")
    write_bundle(config, bundle_of_routes(10, keys=10))
    with (
        idle_proxy(program, *cluster, word=" follows ", variables=variables) as following,
        idle_proxy(program, *file, word=" live in ", variables=variables) as serving,
    ):
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/")
            with connection.getresponse() as response:
                assert 200 == response.status
        (worker,) = serving.workers
        held = pod_memory(following.supervisor, worker)

    assert held <= MEBIBYTES
