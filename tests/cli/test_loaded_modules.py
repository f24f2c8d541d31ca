"""A process loads what its command needs: a proxy starts often, and each of its modules is memory in every pod."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

CLIENTS = {"aiohttp", "kopf"}


def loaded(*modules: str) -> set[str]:
    """Import modules in a new interpreter; return all that it then has loaded."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stdout.split())


def own(modules: set[str]) -> set[str]:
    """The packages and single modules of ours among them; of ``kube`` and ``proxy`` the rooms."""
    parts = (name.split(".") for name in modules if name.startswith("wardgate."))
    return {".".join(one[1:3] if one[1] in {"kube", "proxy"} else one[1:2]) for one in parts} - {"kube", "proxy"}


def foreign(modules: set[str]) -> set[str]:
    """The packages of others among them, without compiled parts and what they bring for older Pythons."""
    ours = {"wardgate", "wardgate__mypyc"}
    tops = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - ours - {"backports"}
    return {name for name in tops if not name.startswith(("_", "cython"))}


SERVING = {"admin", "cli", "inja", "ir", "outlet", "printable", "problems", "sensitive", "setting", "settings"}
SERVING |= {f"proxy.{one}" for one in ("channel", "core", "counters", "cpus", "departures", "metrics", "redacted")}
SERVING |= {
    f"proxy.{one}" for one in ("request_record", "request_totals", "settings", "sockets", "stand_ins", "rollout")
}
SERVING |= {
    "proxy.open_ports",
    "proxy.pages",
    "proxy.supervisor",
    "proxy.worker_process",
    "proxy.worker_troubles",
    "standalone",
    "tasks",
}
SERVING |= {"undumpable", "wire"}
"""A proxy's first process, whatever it serves."""
COMMANDS = {"annotated_doc", "prometheus_client", "shellingham", "typer", "typing_extensions"}
CLIENT = {
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attr",
    "brotli",
    "frozenlist",
    "idna",
    "multidict",
    "propcache",
    "yarl",
}
"""aiohttp, and what it brings."""


def test_who_serves_a_file_loads_neither_a_translation_nor_a_client() -> None:
    there = loaded("wardgate.cli.main", "wardgate.cli.proxy", "wardgate.cli.serve.file_config")

    assert own(there) == SERVING
    assert foreign(there) == COMMANDS | {"pathspec", "re2"}


FOLLOWING = ("wardgate.cli.main", "wardgate.cli.proxy", "wardgate.cli.serve.cluster_config")


@pytest.mark.parametrize(
    ("modules", "most"),
    [
        (("wardgate.cli.main", "wardgate.cli.proxy", "wardgate.cli.serve.file_config"), 185),
        (FOLLOWING, 160),
        (("wardgate.proxy.worker_start", "wardgate.proxy.worker"), 280),
    ],
    ids=["file", "cluster", "worker"],
)
def test_start_loads_few_modules(modules: tuple[str, ...], most: int) -> None:
    """Each costs half a millisecond of every start (docs/performance.md). Python's own are not counted."""
    there = {name for name in loaded(*modules) if name.partition(".")[0] not in sys.stdlib_module_names}

    assert len(there) <= most


def test_first_process_of_a_proxy_knows_the_limits_of_templates_and_nothing_of_the_language() -> None:
    there = loaded(*FOLLOWING, "wardgate.cli.serve.cluster_following")

    assert {"wardgate.inja", "wardgate.inja.limits"} == {name for name in there if name.startswith("wardgate.inja")}


def test_who_follows_a_cluster_loads_no_translation_and_no_parser() -> None:
    there = loaded(*FOLLOWING, "wardgate.cli.serve.cluster_following")

    assert own(there) == SERVING | {"kube.api", "kube.delivery", "kube.follow"}
    assert foreign(there) == COMMANDS | CLIENT


def test_workers_are_started_before_the_client_is_loaded() -> None:
    assert foreign(loaded(*FOLLOWING)) == COMMANDS - {"typing_extensions"}


def test_a_worker_loads_nothing_of_the_commands() -> None:
    there = loaded("wardgate.proxy.worker")
    rooms = {
        "access_log",
        "assembly",
        "channel",
        "core",
        "counters",
        "descriptors",
        "io",
        "lasting",
        "log_line",
        "request_record",
        "sampling",
        "settings",
        "sockets",
        "worker",
    }

    assert own(there) == {f"proxy.{one}" for one in rooms} | {
        *("field_names", "http_grammar", "inja", "ir", "outlet", "printable", "sensitive", "setting", "tasks"),
        *("text_codec", "undumpable", "url_path", "wire"),
    }
    assert foreign(there) == {"httptools", "idna", "pycares", "re2", "uvloop"}


@pytest.mark.parametrize("command", ["check", "render"])
def test_who_reads_manifests_loads_neither_a_client_nor_what_reads_certificates(command: str) -> None:
    assert set() == (CLIENTS | {"cryptography"}) & loaded("wardgate.cli.main", f"wardgate.cli.{command}")


def test_the_list_of_commands_loads_none_of_them() -> None:
    assert {"wardgate", "wardgate.cli", "wardgate.cli.errors", "wardgate.cli.main", "wardgate.printable"} == {
        name for name in loaded("wardgate.cli.main") if name.partition(".")[0] == "wardgate"
    }
