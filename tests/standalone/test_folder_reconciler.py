"""The loop of ``wardgate run`` without a proxy: what comes into force, and what is said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.standalone.lab import POLICY, ROUTES, SECRET, TRANSFORMATION, write_lab
from wardgate.ir import GatewayConfig
from wardgate.settings import Settings
from wardgate.standalone.findings.tracker import DiagnosticChanges
from wardgate.standalone.handover.in_force import InForce
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.rounds.folder_reconciler import FolderReconciler, Round
from wardgate.standalone.scan.folder import Folder, Scan
from wardgate.wire.bundle import Bundle
from wardgate.wire.decode import decode


class Bench:
    """A folder, a proxy that only remembers, and everything that was said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 100.0
        self.applied: list[Bundle] = []
        self.in_force = InForce({"one": "http://127.0.0.1:8081"})
        self.said: list[str] = []
        self.folder = Folder([root])
        self.reconciler = FolderReconciler(
            self.folder, Engine(Settings()), apply=self.apply, reporter=self, clock=lambda: self.now
        )

    async def apply(self, bundle: Bundle) -> InForce:
        self.applied.append(bundle)
        self.now += 0.025
        return self.in_force

    def problems(self, changes: DiagnosticChanges) -> None:
        self.said += [
            f"problem {Path(one.file).name}:{one.line} {one.message} {one.remedy}" for one in changes.appeared
        ]
        self.said += [f"resolved {Path(one.file).name} {one.message}" for one in changes.resolved]

    def listeners(self, serving: Mapping[str, str], ended: Mapping[str, str]) -> None:
        self.said += [f"serves {name} {where}" for name, where in serving.items()]
        self.said += [f"ended {name} {where}" for name, where in ended.items()]

    def live(self, *, revision: str, milliseconds: float, objects: int) -> None:
        self.said.append(f"live {revision} {milliseconds:.0f} {objects}")

    def round(self) -> Round:
        self.said.clear()
        return asyncio.run(self.reconciler.reconcile(noticed=self.now - 0.010))

    def config(self) -> GatewayConfig:
        return decode(self.applied[-1]).config


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(write_lab(tmp_path / "lab"))


def test_first_round_brings_the_folder_into_force(bench: Bench) -> None:
    found = bench.round()
    revision = bench.applied[0].revision[:12]

    assert ["serves one http://127.0.0.1:8081", f"live {revision} 35 7"] == bench.said
    assert bench.in_force is found.in_force
    assert () == found.outcome.diagnostics


def test_config_that_the_proxy_refuses_is_not_live_and_is_offered_again(bench: Bench) -> None:
    serving = bench.in_force
    bench.in_force = InForce({}, ("No worker serves the config.",), complete=False, refused=True)
    bench.round()
    assert ["problem :0 No worker serves the config. "] == bench.said

    bench.in_force = serving
    bench.round()
    assert f"live {bench.applied[1].revision[:12]} 35 7" == bench.said[1]
    assert 2 == len(bench.applied)


def test_round_without_a_change_says_and_does_nothing(bench: Bench) -> None:
    bench.round()
    bench.round()

    assert [] == bench.said
    assert 1 == len(bench.applied)


def test_change_that_means_nothing_is_not_applied(bench: Bench) -> None:
    bench.round()
    (bench.root / "policy.yaml").write_text("# a comment\n" + POLICY)
    bench.round()

    assert ([], 1) == (bench.said, len(bench.applied))


def test_change_comes_into_force(bench: Bench) -> None:
    bench.round()
    (bench.root / "secret.yaml").unlink()
    bench.round()

    assert () == bench.config().credentials
    assert any(line.startswith("live ") for line in bench.said)


def test_problem_is_said_once_and_again_when_it_is_resolved(bench: Bench) -> None:
    bench.round()
    (bench.root / "transformation.yaml").write_text(TRANSFORMATION.replace("{{ huggingface-api-key }}", "{{ nope("))
    bench.round()
    first = [line for line in bench.said if line.startswith("problem")]
    bench.round()
    again = list(bench.said)
    (bench.root / "transformation.yaml").write_text(TRANSFORMATION)
    bench.round()

    assert 1 == len(first)
    assert first[0].startswith("problem transformation.yaml:15 ")
    assert first[0].endswith("Until then its last good form is served.")
    assert [] == again
    assert [f"resolved transformation.yaml {first[0].partition(' ')[2].partition(' ')[2]}"[:80]] == [
        line[:80] for line in bench.said
    ]


def test_bad_object_keeps_its_last_good_form_while_the_rest_goes_live(bench: Bench) -> None:
    bench.round()
    before = bench.config()
    (bench.root / "transformation.yaml").write_text(TRANSFORMATION.replace("{{ huggingface-api-key }}", "{{ nope("))
    (bench.root / "secret.yaml").write_text(SECRET.replace("bXlzZWNyZXRrZXk=", "b3RoZXI="))
    bench.round()
    after = bench.config()

    assert before.transformations == after.transformations
    assert before.credentials[0].digest != after.credentials[0].digest


def test_unreadable_file_keeps_its_objects_while_the_rest_goes_live(bench: Bench) -> None:
    bench.round()
    before = bench.config()
    (bench.root / "policy.yaml").write_text(POLICY + "  extra: [")
    (bench.root / "routes.yaml").write_text(ROUTES.replace("prefix: /huggingface", "prefix: /hf"))
    bench.round()
    after = bench.config()

    assert before.auth_plans == after.auth_plans
    assert before.listeners != after.listeners
    assert any("Until then ExtAuthPolicy gloo-mesh-gateways/huggingface-apikey stays" in line for line in bench.said)


def test_listener_that_ends_is_said(bench: Bench) -> None:
    bench.round()
    bench.in_force = InForce({})
    (bench.root / "gateway.yaml").unlink()
    bench.round()

    assert "ended one http://127.0.0.1:8081" in bench.said


def test_trouble_of_the_proxy_is_said_once(bench: Bench) -> None:
    bench.in_force = InForce({}, ("Port 80 is in use.",), complete=False)
    bench.round()
    first = list(bench.said)
    bench.round()

    assert "problem :0 Port 80 is in use. " in first
    assert [] == bench.said


def test_every_change_starts_a_round_until_cancelled(bench: Bench) -> None:
    async def follow() -> None:
        changes = Changed(2)
        with pytest.raises(asyncio.CancelledError):
            await bench.reconciler.follow(changes)

    asyncio.run(follow())

    assert 1 == len(bench.applied)


def test_bug_in_a_round_ends_nothing_and_quotes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([_fail, bench.folder.scan])

    def scan() -> Scan:
        return next(rounds)()

    monkeypatch.setattr(bench.folder, "scan", scan)

    async def follow() -> None:
        changes = Changed(2)
        with pytest.raises(asyncio.CancelledError):
            await bench.reconciler.follow(changes)

    asyncio.run(follow())

    assert "Internal error (RuntimeError in _fail, line " in bench.said[0]
    assert "hf_provider_token" not in bench.said[0]
    assert 1 == len(bench.applied)


class Changed:
    """So many changes, then the end."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def __call__(self) -> float:
        self._left -= 1
        if self._left < 0:
            raise asyncio.CancelledError
        return 1.0


def _fail() -> Scan:
    message = "hf_provider_token"
    raise RuntimeError(message)
