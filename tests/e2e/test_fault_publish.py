"""Operators that die while they publish, or believe they lead when they do not: what is in force is whole and right."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.callers import Callers
from tests.e2e.door import HEADER, PATH, Door
from tests.e2e.ending import kill_leader, kill_proxy, suspended
from tests.e2e.gate import Gate, Request
from tests.e2e.installation import Installation, Operator
from tests.e2e.published import PublishedConfig, index_content
from wardgate.kube.delivery.index import index_name
from wardgate.kube.delivery.shards import SIZE_ANNOTATION

KILLS = 3
TAKE_OVER_SECONDS = 20.0
"""Invariant 5."""
NO_FLAPPING_TURNS = 3


@pytest.fixture
def door(cluster: Cluster) -> Door:
    return Door(cluster)


@pytest.fixture
def published(installation: Installation) -> PublishedConfig:
    return PublishedConfig(installation.cluster, release=installation.release, namespace=installation.config_namespace)


class Stream:
    """Key Secrets that come, change and go, for the time of a block. ``state``: what every key must be answered."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream of changes", daemon=True)
        self._wrote = threading.Condition()
        self.writes = 0
        self.state: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(30)

    def let_pass(self, writes: int) -> None:
        """Wait for so many further changes."""
        with self._wrote:
            until = self.writes + writes
            assert self._wrote.wait_for(lambda: self.writes >= until, 30)

    def _run(self) -> None:
        for number in itertools.count():
            if self._over.wait(0.03):
                return
            name = f"stream-{number % 7}"
            before = next((key for key in self.state if self.state[key] == 200 and key.startswith(f"{name}:")), "")
            if before and number % 3 == 0:
                self._door.revoke(name)
            else:
                self._door.key(name, f"{name}:{number}")
                self.state[f"{name}:{number}"] = 200
            if before:
                self.state[before] = 401
            with self._wrote:
                self.writes += 1
                self._wrote.notify_all()


def test_operator_killed_again_and_again_leaves_whole_revisions_that_new_proxies_serve(
    installation: Installation, door: Door, published: PublishedConfig
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    door.key("first", "first-key")
    operator = installation.operator()
    proxy = installation.proxy()
    installation.everywhere(200, PATH, **{HEADER: "first-key"})
    sequences = [published.index().sequence]
    with Callers([proxy], {"first-key": 200, "": 401}), Stream(door) as stream:
        for _ in range(KILLS):
            installation.wait_until(partial(_is_beyond, published, sequences[-1]), "the operator publishes")
            stream.let_pass(chance.randint(1, 12))
            kill_leader(installation, operator)
            in_force = published.whole()
            newcomer = installation.proxy()
            assert in_force.revision == newcomer.revision()["revision"]
            assert (200, 401) == (newcomer.status(PATH, **{HEADER: "first-key"}), newcomer.status(PATH))
            kill_proxy(installation, newcomer)
            sequences.append(in_force.sequence)
            operator = installation.operator()
        stream.let_pass(5)
    began = time.monotonic()
    for key, status in stream.state.items():
        installation.everywhere(status, PATH, **{HEADER: key})
    sequences.append(published.whole().sequence)
    print(
        f"{stream.writes} changes, all in force {time.monotonic() - began:.2f} s after the last, sequences {sequences}"
    )
    assert sorted(set(sequences)) == sequences


def _is_beyond(published: PublishedConfig, sequence: int) -> bool:
    return published.index().sequence > sequence


def _publishes_shard(request: Request) -> bool:
    return request.method == "POST" and SIZE_ANNOTATION.encode() in request.body


class _IndexWrite:
    """A write of the index that is no renewal of the one in force."""

    def __init__(self, published: PublishedConfig) -> None:
        self._name = published.name
        self._before = published.index().sequence

    def __call__(self, request: Request) -> bool:
        if request.method != "PUT" or not request.path.endswith(f"/{self._name}"):
            return False
        return int(index_content(json.loads(request.body))["sequence"]) > self._before


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[Gate]:
    with Gate(cluster.control_plane) as made:
        yield made


def test_operator_killed_at_each_step_of_a_publish_leaves_a_whole_revision(
    installation: Installation, door: Door, published: PublishedConfig, gate: Gate
) -> None:
    door.key("first", "first-key")
    operator = installation.operator(link=gate)
    proxy = installation.proxy()
    installation.everywhere(200, PATH, **{HEADER: "first-key"})
    with Callers([proxy], {"first-key": 200, "": 401}):
        for step, (is_index, answered) in enumerate(itertools.product((False, True), (False, True))):
            before = published.index()
            wanted = _IndexWrite(published) if is_index else _publishes_shard
            hold = gate.hold(wanted, answered=answered)
            door.key(f"step-{step}", f"key-{step}")
            hold.wait()
            kill_leader(installation, operator)
            hold.drop()
            in_force = published.whole()
            assert (is_index and answered) is (in_force.revision != before.revision)
            newcomer = installation.proxy()
            assert in_force.revision == newcomer.revision()["revision"]
            assert (200 if is_index and answered else 401) == newcomer.status(PATH, **{HEADER: f"key-{step}"})
            kill_proxy(installation, newcomer)
            operator = installation.operator(link=gate)
            installation.everywhere(200, PATH, **{HEADER: f"key-{step}"})
            assert published.whole().sequence > before.sequence


def _lease(installation: Installation) -> dict[str, Any]:
    name = f"{installation.release}-operator"
    spec = installation.cluster.get("Lease", name, namespace=installation.namespace)["spec"]
    assert isinstance(spec, dict)
    return spec


def _holder(installation: Installation) -> str:
    return str(_lease(installation).get("holderIdentity", ""))


def _leads(operator: Operator) -> bool:
    return operator.metric("wardgate_operator_leader") == 1.0


def _write_no_more(installation: Installation, published: PublishedConfig, *, leader: str) -> None:
    """Nobody takes anything back: one holder, one writer, over several turns of the election."""
    for _ in range(NO_FLAPPING_TURNS):
        seen = _lease(installation)["renewTime"]
        installation.wait_until(partial(_is_renewed, installation, seen), "the Lease is renewed")
        assert leader == _holder(installation)
        assert published.index().writer.startswith(f"{leader} since")


def _is_renewed(installation: Installation, before: str) -> bool:
    return bool(_lease(installation)["renewTime"] != before)


def test_leader_that_stood_still_steps_down_and_brings_nothing_back(
    installation: Installation, door: Door, published: PublishedConfig
) -> None:
    """It wakes up with its changes of ten seconds ago, and a Lease that it believes is its own."""
    door.key("kept", "kept-key")
    door.key("revoked", "revoked-key")
    first = installation.operator(identity="first")
    second = installation.operator(identity="second")
    proxies = [installation.proxy(), installation.proxy()]
    installation.everywhere(200, PATH, **{HEADER: "revoked-key"})
    with suspended(first):
        began = time.monotonic()
        door.revoke("revoked")
        installation.everywhere(401, PATH, **{HEADER: "revoked-key"})
        taken_over = time.monotonic() - began
        assert "second" == _holder(installation)
    with Callers(proxies, {"kept-key": 200, "": 401, "revoked-key": 401}):
        began = time.monotonic()
        installation.wait_until(lambda: not _leads(first), "the first one knows that it does not lead")
        stepped_down = time.monotonic() - began
        _write_no_more(installation, published, leader="second")
        door.key("later", "later-key")
        installation.everywhere(200, PATH, **{HEADER: "later-key"})
    print(f"revoked {taken_over:.1f} s after the leader stood still; it stepped down {stepped_down:.2f} s after waking")
    assert taken_over < TAKE_OVER_SECONDS
    assert (False, True) == (_leads(first), _leads(second))


def test_write_of_a_deposed_leader_that_arrives_late_is_refused(
    installation: Installation, door: Door, published: PublishedConfig, gate: Gate
) -> None:
    """Its index is on the way when it stops leading, and reaches the API server when another one has published."""
    door.key("kept", "kept-key")
    first = installation.operator(identity="first", link=gate)
    second = installation.operator(identity="second")
    proxies = [installation.proxy(), installation.proxy()]
    installation.everywhere(200, PATH, **{HEADER: "kept-key"})
    hold = gate.hold(_IndexWrite(published))
    door.key("late", "late-key")
    hold.wait()
    with suspended(first):
        door.revoke("late")
        installation.wait_until(lambda: _holder(installation) == "second", "the second one leads")
        installation.wait_until(lambda: published.index().writer.startswith("second"), "it has published")
    mark = installation.cluster.audit_mark()
    with Callers(proxies, {"kept-key": 200, "": 401, "late-key": 401}):
        hold.release()
        installation.wait_until(lambda: _refusals(installation, since=mark), "the late write is answered")
        installation.wait_until(lambda: not _leads(first), "the first one does not lead")
        _write_no_more(installation, published, leader="second")
    assert (False, True) == (_leads(first), _leads(second))


def _refusals(installation: Installation, *, since: int) -> int:
    refused = installation.cluster.audit(
        since=since, verb="update", resource="secrets", name=index_name(installation.release), code=409
    )
    return len(refused)
