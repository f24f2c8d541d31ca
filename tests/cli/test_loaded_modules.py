"""A process loads what its command needs: a proxy starts often, and each of its modules is memory in every pod."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

MAKERS = {"wardgate.api", "wardgate.store", "wardgate.translate"}
"""Packages that make a config out of manifests."""
CLIENTS = {"aiohttp", "kopf", "kubernetes"}
PARSERS = {"pydantic", "yaml"}


def loaded(*modules: str) -> set[str]:
    """Import modules in a new interpreter; return all that it then has loaded."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stdout.split())


def test_who_serves_a_file_loads_neither_a_translation_nor_a_client() -> None:
    there = loaded("wardgate.cli.main", "wardgate.cli.proxy", "wardgate.cli.file_config")

    assert "wardgate.proxy.supervisor" in there
    assert set() == (MAKERS | CLIENTS | PARSERS | {"rich"}) & there


def test_who_follows_a_cluster_loads_no_translation() -> None:
    there = loaded("wardgate.cli.main", "wardgate.cli.proxy", "wardgate.cli.cluster_config")

    assert "wardgate.kube.follow.config_source" in there
    assert set() == (MAKERS | {"kopf", "rich"}) & there


def test_a_worker_loads_nothing_of_the_commands() -> None:
    there = loaded("wardgate.proxy.worker")

    assert set() == (MAKERS | CLIENTS | PARSERS | {"rich", "typer", "wardgate.cli", "wardgate.standalone"}) & there


@pytest.mark.parametrize("command", ["check", "render"])
def test_who_reads_manifests_loads_neither_a_client_nor_what_reads_certificates(command: str) -> None:
    assert set() == (CLIENTS | {"cryptography"}) & loaded("wardgate.cli.main", f"wardgate.cli.{command}")


def test_the_list_of_commands_loads_none_of_them() -> None:
    assert {"wardgate", "wardgate.cli", "wardgate.cli.errors", "wardgate.cli.main", "wardgate.printable"} == {
        name for name in loaded("wardgate.cli.main") if name.partition(".")[0] == "wardgate"
    }
