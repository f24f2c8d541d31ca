"""``wardgate proxy`` with a supervisor that starts no process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from tests.cli.fake_supervisor import FakeSupervisor
from wardgate.ir import DirectResponse, GatewayConfig, Listener, Route, VirtualHost
from wardgate.standalone.handover.bundle_file import write_bundle
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import encode


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeSupervisor]:
    class Fresh(FakeSupervisor):
        steps: list[Callable[[], object]] = []  # noqa: RUF012 - one list a test is the point

    monkeypatch.setattr("wardgate.cli.serve.serving.Supervisor", Fresh)
    return Fresh


def bundle(port: int = 80, text: str = "hi") -> Bundle:
    route = Route("route", DirectResponse(200, text))
    return encode(GatewayConfig(listeners=(Listener("gate", port, (VirtualHost(("*",), (route,)),)),)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bundle.json"
    write_bundle(found, bundle())
    return found


def test_bundle_is_served_until_a_signal(wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]) -> None:
    ended = wardgate("proxy", "--config", str(path), "--port", "80=8080")

    assert 0 == ended.status
    assert ended.err.startswith("listener gate serves at http://127.0.0.1:8080\n")
    assert f"config {bundle().revision[:12]} live in " in ended.err
    assert ("0.0.0.0", ((80, 8080),)) == (fake.made.settings.bind, fake.made.settings.ports)


def test_port_of_no_listener_is_warned_about(wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]) -> None:
    ended = wardgate("proxy", "--config", str(path), "--port", "80=8080", "--port", "443=8443")

    assert 0 == ended.status
    assert "warning: --port 443=8443 has no effect: no listener has port 443, only 80.\n" in ended.err
    assert 1 == ended.err.count("warning: ")


def test_settings_by_name_reach_the_proxy(wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]) -> None:
    wardgate("proxy", "--config", str(path), "--set", "limits.pool_idle=0", "--set", "timeouts.drain=1")

    assert (0, 1.0) == (fake.made.settings.limits.pool_idle, fake.made.settings.timeouts.drain)


def test_new_bundle_is_followed_and_a_bad_one_leaves_the_old(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]
) -> None:
    def later() -> None:
        # Stands for another process: a torn file, another torn file, and a good one, each once the last was noticed.
        path.write_text("{")
        threading.Timer(0.3, lambda: path.write_text("{ ")).start()
        threading.Timer(0.6, lambda: write_bundle(path, bundle(port=81))).start()

    fake.steps = [later]
    ended = wardgate("proxy", "--config", str(path))

    assert [bundle().revision, bundle(port=81).revision] == [one.revision for one in fake.made.bundles]
    assert 1 == ended.err.count(f"error: {path}: The bundle is not JSON. What was in force stays.\n")
    assert "listener gate serves at http://127.0.0.1:81\n" in ended.err


def test_config_is_followed_while_callers_are_still_served_and_a_second_signal_changes_nothing(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]
) -> None:
    fake.in_the_delay = lambda: write_bundle(path, bundle(port=81))
    ended = wardgate("proxy", "--config", str(path))

    assert 0 == ended.status
    assert [bundle().revision, bundle(port=81).revision] == [one.revision for one in fake.made.bundles]
    assert 1 == ended.err.count("stopping; ")


@pytest.mark.parametrize(("number", "patient"), [(signal.SIGTERM, True), (signal.SIGINT, False)])
def test_only_sigterm_leaves_load_balancers_time(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor], number: signal.Signals, *, patient: bool
) -> None:
    fake.last_signal = number
    ended = wardgate("proxy", "--config", str(path))

    assert (0, [patient, False]) == (ended.status, fake.made.stopped)


def test_bundle_from_standard_input_is_served(wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]) -> None:
    wardgate("proxy", "--config", "-", stdin=path.read_bytes())

    assert [bundle().revision] == [one.revision for one in fake.made.bundles]


@pytest.mark.parametrize(
    ("content", "words"), [("{}", "The file is no bundle"), (None, "cannot be read: No such file or directory.")]
)
def test_start_without_a_bundle_ends_with_status_1(
    wardgate: Wardgate, tmp_path: Path, fake: type[FakeSupervisor], content: str | None, words: str
) -> None:
    path = tmp_path / "bundle.json"
    if content is not None:
        path.write_text(content)
    ended = wardgate("proxy", "--config", str(path))

    assert 1 == ended.status
    assert words in ended.err
    assert not hasattr(fake, "made")


def test_port_that_is_taken_ends_the_start(wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]) -> None:
    fake.busy_ports = frozenset({80})
    ended = wardgate("proxy", "--config", str(path))

    assert 1 == ended.status
    assert "error: Port 80 is in use; try --port 80=8080.\n" in ended.err
    assert ended.err.endswith("wardgate: The config cannot be served; see above.\n")


def test_bundle_that_is_written_again_unchanged_is_not_applied_again(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]
) -> None:
    def again() -> None:
        write_bundle(path, bundle())
        threading.Timer(0.4, lambda: write_bundle(path, bundle(text="bye"))).start()

    fake.steps = [again]
    wardgate("proxy", "--config", str(path))

    assert [bundle().revision, bundle(text="bye").revision] == [one.revision for one in fake.made.bundles]


def test_bundle_that_the_proxy_refuses_is_not_said_to_be_live(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor]
) -> None:
    fake.refuse_config = True
    ended = wardgate("proxy", "--config", str(path))

    assert 1 == ended.status
    assert "error: The config cannot be read.\n" in ended.err
    assert " live in " not in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Neither --config nor --cluster is given; give one: "),
        (("--config", "bundle.json", "--cluster"), "Both --config and --cluster are given; give one: "),
        (("--config", "bundle.json", "--release", "a"), "--release says something of a cluster, and --config reads a"),
        (("--config", "bundle.json", "--max-config-age", "60"), "--max-config-age says something of a cluster"),
        (("--cluster", "--release", "A_b"), '--release: "A_b" is not made of small letters'),
        (("--cluster", "--config-namespace", "a/b"), '--config-namespace: "a/b" is not made of small letters'),
        (("--cluster", "--cache-dir", "nowhere"), "nowhere"),
        (("--cluster", "--max-config-age", "-1"), "--max-config-age"),
    ],
)
def test_one_source_of_configs_is_asked_for(wardgate: Wardgate, arguments: tuple[str, ...], words: str) -> None:
    ended = wardgate("proxy", *arguments)

    assert 2 == ended.status
    assert words in ended.err


def test_variables_of_the_cluster_do_not_disturb_a_file(
    wardgate: Wardgate, path: Path, fake: type[FakeSupervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    monkeypatch.setenv("WARDGATE_RELEASE", "other")
    ended = wardgate("proxy", "--config", str(path))

    assert 0 == ended.status
