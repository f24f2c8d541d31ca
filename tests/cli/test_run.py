"""``wardgate run`` with a supervisor that starts no process: what it says, what it hands over, how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.cli.command_line import Wardgate
from tests.cli.fake_supervisor import FakeSupervisor
from tests.standalone.lab import POLICY, SECRET, TOKEN, TRANSFORMATION, write_lab
from wardgate.ir import Refuse
from wardgate.standalone.handover.bundle_file import read_bundle
from wardgate.wire.decode import decode


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeSupervisor]:
    class Fresh(FakeSupervisor):
        steps: list[Callable[[], object]] = []  # noqa: RUF012 - one list a test is the point

    monkeypatch.setattr("wardgate.cli.serve.serving.Supervisor", Fresh)
    return Fresh


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_lab(tmp_path / "lab")


def test_every_listener_has_its_line_and_a_signal_ends_it_well(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    ended = wardgate("run", "lab", "--port", "8081=18081")

    assert (0, "") == (ended.status, ended.out)
    assert re.fullmatch(
        r"wardgate \S+ follows lab, admin endpoints at http://127\.0\.0\.1:9901\n"
        r"listener gloo-mesh-gateways/ai-ingress-gw:8081 serves at http://127\.0\.0\.1:18081\n"
        r"config [0-9a-f]{12} live in \d+ ms: 7 objects\n"
        r"stopping; a second Ctrl-C ends at once\n",
        ended.err,
    )
    assert fake.made.stopped
    assert 0.0 == fake.made.settings.timeouts.shutdown_delay  # nobody balances load on this machine


def test_change_is_live_without_a_restart(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    fake.steps = [(lab / "secret.yaml").unlink]
    ended = wardgate("run", "lab")
    first, second = (decode(bundle).config for bundle in fake.made.bundles)

    assert (1, 0) == (len(first.credentials), len(second.credentials))
    assert 2 == ended.err.count(" live in ")
    assert "has no usable key" in ended.err


def test_what_is_excluded_is_not_served_and_the_folder_s_patterns_are_followed(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    fake.steps = [lambda: (lab / ".wardgateignore").write_text("transformation.yaml\n")]
    ended = wardgate("run", "lab", "--exclude", "secret.yaml")
    first, second = (decode(bundle).config for bundle in fake.made.bundles)

    assert [(0, 1), (0, 0)] == [(len(one.credentials), len(one.transformations)) for one in (first, second)]
    assert "5 objects" in ended.err


def test_listener_that_goes_away_has_its_line(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    fake.steps = [(lab / "gateway.yaml").unlink]
    ended = wardgate("run", "lab")

    assert "listener gloo-mesh-gateways/ai-ingress-gw:8081 no longer serves at http://127.0.0.1:8081\n" in ended.err


def test_mistake_while_running_is_printed_and_resolved(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    def break_it() -> None:
        (lab / "transformation.yaml").write_text(TRANSFORMATION.replace("{{", "{{ ("))
        (lab / "secret.yaml").write_text(SECRET.replace("bXlzZWNyZXRrZXk=", "b3RoZXI="))

    def mend_it() -> None:
        (lab / "transformation.yaml").write_text(TRANSFORMATION)
        (lab / "secret.yaml").write_text(SECRET)

    fake.steps = [break_it, mend_it]
    ended = wardgate("run", "lab")

    assert 0 == ended.status
    assert "lab/transformation.yaml:15:13: error: " in ended.err
    assert "lab/transformation.yaml: resolved: " in ended.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("kind: [", "The document is not YAML"),
        ("metadata: {}\nspec: {}", "The object has no apiVersion"),
        (POLICY.replace("ExtAuthPolicy", "ExtAuthPolice"), "did you mean ExtAuthPolicy?"),
        (POLICY.replace("/v2", "/v7"), "write apiVersion: security.policy.gloo.solo.io/v2"),
    ],
)
def test_start_with_what_cannot_be_read_tells_it_and_serves_the_rest(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor], content: str, words: str
) -> None:
    (lab / "policy.yaml").write_text(content)
    ended = wardgate("run", "lab")

    assert 0 == ended.status
    assert "lab/policy.yaml:" in ended.err
    assert words in ended.err
    assert " serves at " in ended.err
    ((route,),) = [host.routes for host in decode(fake.made.bundles[0]).config.listeners[0].virtual_hosts]
    assert None is route.auth
    assert isinstance(route.action, Refuse)


def test_start_with_an_invalid_object_serves_the_rest(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    (lab / "transformation.yaml").write_text(TRANSFORMATION.replace("{{", "{{ ("))
    ended = wardgate("run", "lab")

    assert 0 == ended.status
    assert "lab/transformation.yaml:15:13: error: " in ended.err
    assert " serves at " in ended.err


def test_port_that_is_taken_ends_the_start_with_the_remedy(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    fake.busy_ports = frozenset({8081})
    ended = wardgate("run", "lab")

    assert 1 == ended.status
    assert "error: Port 8081 is in use; try --port 8081=8080.\n" in ended.err
    assert ended.err.endswith("wardgate: Not every listener can be served; see above.\n")
    assert fake.made.stopped


def test_trouble_that_costs_no_listener_does_not_end_the_start(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    fake.problems = ("Upstream x: its certificate file cannot be read.",)
    ended = wardgate("run", "lab")

    assert 0 == ended.status
    assert "error: Upstream x: its certificate file cannot be read.\n" in ended.err


def test_admin_port_that_is_taken_is_a_sentence(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    fake.refuse_start = "The admin address is taken; choose --admin."
    ended = wardgate("run", "lab")

    assert (1, "wardgate: The admin address is taken; choose --admin.\n") == (ended.status, ended.err)


def test_config_that_the_proxy_refuses_ends_the_start(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]
) -> None:
    fake.refuse_config = True
    ended = wardgate("run", "lab")

    assert 1 == ended.status
    assert "error: The config cannot be read.\n" in ended.err
    assert " live in " not in ended.err


def test_folder_without_a_gateway_waits_for_one(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    (lab / "gateway.yaml").unlink()
    ended = wardgate("run", "lab", "--admin", "none")

    assert 0 == ended.status
    assert "nothing is served until there is one\n" in ended.err
    assert "admin endpoints" not in ended.err


def test_port_of_no_listener_is_warned_about(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    ended = wardgate("run", "lab", "--port", "8082=8080", "--port", "8081=18081")

    assert 0 == ended.status
    assert "warning: --port 8082=8080 has no effect: no listener has port 8082, only 8081.\n" in ended.err
    assert 1 == ended.err.count("warning: ")


def test_options_and_variables_reach_the_proxy(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("WARDGATE_WORKERS", "3")
    monkeypatch.setenv("WARDGATE_PORT", "80=8080 443=8443")
    monkeypatch.setenv("WARDGATE_ACCESS_LOG", "false")
    wardgate(
        *("run", "lab", "--resolve", "api.openai.com:443=127.0.0.1:8443", "--upstream-ca", "ca.pem"),
        *("--set", "limits.body_bytes=1MiB", "--set", "timeouts.drain=1.5", "--bind", "0.0.0.0"),
    )
    settings = fake.made.settings

    assert (3, ((80, 8080), (443, 8443)), False) == (settings.workers, settings.ports, settings.access_log)
    assert (("api.openai.com:443", "127.0.0.1:8443"),) == settings.pins
    assert ("0.0.0.0", "ca.pem", 1 << 20, 1.5) == (
        settings.bind,
        settings.upstream_ca,
        settings.limits.body_bytes,
        settings.timeouts.drain,
    )


def test_settings_reach_the_translation(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    wardgate("run", "lab", "--template-env", "REGION")
    config = decode(fake.made.bundles[0]).config

    assert (("REGION",), True) == (config.template_env, config.guard.allow_loopback)


def test_settings_by_name_reach_proxy_and_translation(
    wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "WARDGATE_SET",
        "limits.head_bytes=128KiB timeouts.connect=3 allow_cidrs=10.0.0.0/8,192.168.0.0/16 "
        "denied_addresses=10.96.0.1:443 allow_loopback=false template_limits.steps=7",
    )
    wardgate("run", "lab")
    config = decode(fake.made.bundles[0]).config

    assert (128 << 10, 3.0) == (fake.made.settings.limits.head_bytes, fake.made.settings.timeouts.connect)
    assert (("10.0.0.0/8", "192.168.0.0/16"), ("10.96.0.1:443",), False) == (
        config.guard.allow_cidrs,
        config.guard.denied_addresses,
        config.guard.allow_loopback,
    )
    assert 7 == config.template_limits.steps


def test_emitted_bundle_is_the_one_in_force(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    wardgate("run", "lab", "--emit", "bundle.json")

    assert fake.made.bundles[-1].revision == read_bundle(Path("bundle.json").read_bytes()).revision


def test_bundle_that_cannot_be_written_is_said(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    ended = wardgate("run", "lab", "--emit", "nowhere/bundle.json")

    assert 0 == ended.status
    assert "error: The config cannot be written to nowhere/bundle.json: No such file or directory." in ended.err


def test_word_of_the_supervisor_is_passed_on(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    def speak() -> None:
        fake.made.announce("Worker 1 ended.")
        fake.made.act()

    fake.steps = [speak]
    ended = wardgate("run", "lab")

    assert "Worker 1 ended.\n" in ended.err


def test_nothing_printed_holds_a_secret(wardgate: Wardgate, lab: Path, fake: type[FakeSupervisor]) -> None:
    ended = wardgate("run", "lab")

    assert TOKEN not in ended.err + ended.out
    assert "bXlz" not in ended.err + ended.out
