"""The operator's rounds: what is published when, what waits, and what no failure may cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.translate.cluster import Cluster
from wardgate.api import Approval
from wardgate.control.deferred_work import MOMENT, DeferredWork
from wardgate.control.metrics import Metrics
from wardgate.control.reconciler import Outputs, Reconciler
from wardgate.control.release_scope import ReleaseScope
from wardgate.control.size_limit import size_of
from wardgate.control.trigger import Trigger
from wardgate.ir import GatewayConfig, Route
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.api.pacing import Timing
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.term import Term
from wardgate.kube.publish.publisher import Published, Publisher
from wardgate.problems import ObjectRef
from wardgate.renderer import Renderer
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.store import Store
from wardgate.tasks import spawn
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import Statuses
from wardgate.wire.bundle import Bundle
from wardgate.wire.decode import decode, decode_credentials
from wardgate.wire.schema import SCHEMA

GATEWAY: dict[str, object] = {
    "apiVersion": "networking.gloo.solo.io/v2",
    "kind": "VirtualGateway",
    "metadata": {"name": "gateway", "namespace": "a"},
    "spec": {"listeners": [{"http": {}, "port": {"number": 80}}]},
}


@dataclass
class World:
    """Everything around a reconciler, in the order in which it was touched (``log``)."""

    log: list[str] = field(default_factory=list)
    unlisted: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    failures: list[Exception] = field(default_factory=list)
    state_failures: list[Exception] = field(default_factory=list)
    read_failures: list[Exception] = field(default_factory=list)
    published: list[Bundle] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)
    saved: list[LastGood] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)
    problem: str = ""
    left_out: tuple[ObjectRef, ...] = ()
    statuses: Statuses = field(default_factory=Statuses)
    config: GatewayConfig = field(default_factory=GatewayConfig)

    may_publish: asyncio.Event = field(default_factory=asyncio.Event)
    term: Term | None = None

    def told(self, failure: Exception) -> Exception:
        """A write that shows another writer ends the term."""
        if isinstance(failure, Deposed) and self.term is not None:
            self.term.end(failure)
        return failure

    # The cluster.

    def missing(self) -> tuple[str, ...]:
        return self.unlisted

    def is_live(self) -> bool:
        return True

    def follow_named(self, named: Iterable[ObjectRef]) -> None:
        self.log.append("follow")

    def refused_secrets(self) -> frozenset[str]:
        return self.refused

    async def list_again(self) -> None:
        self.log.append("list")

    # The publisher and the state.

    async def take_over(self, term: Term) -> None:
        self.log.append("take over")
        self.term = term

    async def publish(self, bundle: Bundle, *, verified: bool) -> Published:
        self.log.append("publish")
        if self.failures:
            raise self.told(self.failures.pop(0))
        await self.may_publish.wait()
        self.published.append(bundle)
        self.verified.append(verified)
        return Published(bundle.revision, len(self.published), 1, index_written=True, size=1, seconds=0.01)

    async def load(self) -> LastGood:
        self.log.append("load")
        return {}

    async def save(self, last_good: LastGood) -> int:
        self.log.append("save")
        if self.state_failures:
            raise self.told(self.state_failures.pop(0))
        self.saved.append(last_good)
        return 1

    async def read(self) -> Bundle | None:
        if self.read_failures:
            raise self.read_failures.pop(0)
        return self.published[-1] if self.published else None

    def report(self, statuses: Statuses, config: GatewayConfig, *, sequence: int) -> None:
        self.log.append("report")
        self.reported.append(sequence)
        self.statuses, self.config = statuses, config


class Bench:
    """A reconciler that runs, with a store to change."""

    def __init__(self) -> None:
        self.world = World()
        self.world.may_publish.set()
        self.term = Term("operator-a", began=0.0)
        self.leading: asyncio.Task[None] | None = None
        self.slept: list[float] = []
        self.time_passes = asyncio.Event()
        self.time_passes.set()
        self.store = Store()
        self.trigger = Trigger(clock=lambda: asyncio.get_running_loop().time(), quiet=0.0, longest=0.0)
        self.metrics = Metrics(watch_ages=dict, objects=dict, api_errors=lambda: 0, leading=lambda: False)
        self.renderer = Renderer(Settings())
        self.reconciler = Reconciler(
            store=self.store,
            renderer=self.renderer,
            release_scope=ReleaseScope({}),
            trigger=self.trigger,
            cluster=self.world,
            schema=lambda: SCHEMA,
            metrics=self.metrics,
        )

    async def sleep(self, seconds: float) -> None:
        """Time passes at once, unless it is to stand still, and is noted."""
        self.slept.append(seconds)
        await asyncio.sleep(0)
        await self.time_passes.wait()

    async def lead(self) -> None:
        """Take over, and go on until the term ends."""
        deferred_work = DeferredWork(
            self.term,
            state=cast("StateStore", self.world),
            report=self.world.report,
            metrics=self.metrics,
            timing=Timing(sleep=self.sleep, random=lambda: 0.0),
        )
        await self.reconciler.take_over(Outputs(self.term, cast("Publisher", self.world), deferred_work))
        self.leading = spawn(self.term.run({"deferred work": deferred_work.run}), name="term")
        await asyncio.sleep(0)

    async def lose_the_lease(self) -> None:
        """Nobody wrote, but another replica may lead from now on."""
        assert self.leading is not None
        self.leading.cancel()
        await asyncio.wait({self.leading})

    def change(self, version: int) -> None:
        ref = ObjectRef("VirtualGateway", "a", "gateway")
        self.store.upsert(StoredObject(ref, "uid", version, version, "", GATEWAY))
        self.trigger.mark()

    async def published(self, count: int) -> None:
        await self.until(lambda: len(self.world.published) == count)

    async def until(self, probe: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not probe():  # noqa: ASYNC110 - what is awaited has no event
                await asyncio.sleep(0.001)


def scenario(work: Callable[[Bench], Any]) -> Bench:
    async def run() -> Bench:
        bench = Bench()
        rounds = spawn(bench.reconciler.run(), name="rounds")
        try:
            await work(bench)
        finally:
            parts = [rounds] if bench.leading is None else [rounds, bench.leading]
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        return bench

    return asyncio.run(run())


def test_new_leader_lists_remembers_and_owns_the_index_before_it_publishes() -> None:
    async def work(bench: Bench) -> None:
        await bench.lead()
        await bench.until(lambda: bench.world.saved)

    world = scenario(work).world
    assert ["list", "load", "take over", "follow", "publish", "report", "save"] == world.log


def test_follower_translates_and_writes_nothing() -> None:
    async def work(bench: Bench) -> None:
        bench.change(1)
        await bench.until(lambda: bench.world.log)
        await asyncio.sleep(0.05)

    assert {"follow"} == set(scenario(work).world.log)


def test_nothing_is_published_before_everything_was_listed() -> None:
    async def work(bench: Bench) -> None:
        bench.world.unlisted = ("Waiting for Secrets.",)
        await bench.lead()
        await asyncio.sleep(0.15)
        assert "publish" not in bench.world.log
        bench.world.unlisted = ()
        await bench.until(lambda: bench.world.published)

    scenario(work)


def test_secrets_that_may_not_be_read_are_known_to_the_translation() -> None:
    async def work(bench: Bench) -> None:
        bench.world.refused = frozenset({"a/tls"})
        await bench.lead()
        await bench.until(lambda: bench.world.published)
        assert frozenset({"a/tls"}) == bench.renderer.settings.refused_secrets

    scenario(work)


def test_publishing_that_fails_is_tried_again_without_another_change() -> None:
    async def work(bench: Bench) -> None:
        bench.world.failures = [ConnectionFailed("away"), ConnectionFailed("away")]
        await bench.lead()
        await bench.until(lambda: bench.world.published)

    assert 2 == scenario(work).metrics.publish_failures


def test_deposed_leader_stops_writing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.world.failures = [Deposed("another one wrote")]
        await bench.lead()
        await bench.until(lambda: bench.term.is_over)
        bench.change(1)
        await asyncio.sleep(0.05)

    bench = scenario(work)
    assert (1, []) == (bench.world.log.count("publish"), bench.world.published)
    assert 1 == caplog.text.count("another one wrote This replica stops writing until it has taken over again.")


def test_bug_in_a_round_is_told_without_quoting_anything_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(bench: Bench) -> None:
        bench.world.failures = [ValueError("hunter2")]
        await bench.lead()
        await bench.until(lambda: bench.world.published)

    with caplog.at_level(logging.DEBUG):
        bench = scenario(work)
    assert 1 == bench.metrics.internal_errors
    assert "ValueError in publish" in caplog.text
    assert "hunter2" not in caplog.text


def test_change_is_published_and_reported_with_its_sequence() -> None:
    async def work(bench: Bench) -> None:
        await bench.lead()
        await bench.until(lambda: bench.world.saved)
        bench.change(1)
        await bench.until(lambda: len(bench.world.reported) == 2)

    world = scenario(work).world
    assert [1, 2] == world.reported
    assert world.published[0].revision != world.published[1].revision
    assert [True, True] == world.verified


def test_rounds_do_not_wait_for_their_accounts_and_only_the_newest_is_accounted_for() -> None:
    async def work(bench: Bench) -> None:
        bench.time_passes.clear()
        await bench.lead()
        for version in (1, 2, 3):
            await bench.published(version)
            bench.change(version)
        await bench.published(4)
        assert [] == bench.world.reported
        assert [MOMENT] == bench.slept
        bench.time_passes.set()
        await bench.until(lambda: bench.world.saved)

    world = scenario(work).world
    assert [4] == world.reported
    assert 1 == len(world.saved)


def test_memory_that_could_not_be_written_is_written_later_and_holds_up_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(bench: Bench) -> None:
        bench.world.state_failures = [ConnectionFailed("away"), ConnectionFailed("away")]
        await bench.lead()
        await bench.until(lambda: bench.world.saved)
        assert bench.term.is_leading

    bench = scenario(work)
    assert (1, 0, 3) == (
        bench.world.log.count("publish"),
        bench.metrics.publish_failures,
        bench.world.log.count("save"),
    )
    assert 2 == caplog.text.count("could not be remembered and will be again: away")
    assert [MOMENT, 0.05, MOMENT, 0.1, MOMENT] == bench.slept


def test_leader_whose_state_another_one_writes_is_deposed(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.world.state_failures = [Deposed("another one wrote the state")]
        await bench.lead()
        await bench.until(lambda: bench.term.is_over)

    bench = scenario(work)
    assert [] == bench.world.saved
    assert 1 == caplog.text.count("another one wrote the state This replica stops writing")


def test_nothing_is_reported_once_another_replica_leads() -> None:
    async def work(bench: Bench) -> None:
        bench.time_passes.clear()
        await bench.lead()
        await bench.until(lambda: bench.world.published)
        await bench.lose_the_lease()
        bench.time_passes.set()
        await asyncio.sleep(0.05)

    world = scenario(work).world
    assert ([], []) == (world.reported, world.saved)


def test_publishing_is_broken_off_when_the_lease_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.world.may_publish.clear()
        await bench.lead()
        await bench.until(lambda: "publish" in bench.world.log)
        await bench.lose_the_lease()
        bench.world.may_publish.set()
        bench.change(1)
        await bench.until(lambda: bench.world.log.count("follow") == 2)

    bench = scenario(work)
    assert ([], 0) == (bench.world.published, bench.metrics.publish_failures)
    assert "" == caplog.text


def test_rounds_go_on_in_the_next_term() -> None:
    async def work(bench: Bench) -> None:
        bench.world.may_publish.clear()
        await bench.lead()
        await bench.until(lambda: "publish" in bench.world.log)
        await bench.lose_the_lease()
        bench.world.may_publish.set()
        bench.term = Term("operator-a", began=1.0)
        await bench.lead()
        await bench.until(lambda: bench.world.saved)

    assert 1 == len(scenario(work).world.published)


def test_bug_in_the_accounts_is_told_without_quoting_anything_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(bench: Bench) -> None:
        bench.world.state_failures = [ValueError("hunter2")]
        await bench.lead()
        await bench.until(lambda: bench.world.saved)

    with caplog.at_level(logging.DEBUG):
        bench = scenario(work)
    assert 1 == bench.metrics.internal_errors
    assert "ValueError in save" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_memory_could_not_be_read_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.world.problem = "The state cannot be read."
        bench.world.left_out = (ObjectRef("RouteTable", "a", "huge"),)
        await bench.lead()
        await bench.until(lambda: bench.world.saved)

    scenario(work)
    assert "The state cannot be read." in caplog.text


CLUSTER = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gateway, namespace: a}
spec: {listeners: [{http: {}, port: {number: 80}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: table, namespace: a}
spec:
  hosts: ["*"]
  virtualGateways: [{name: gateway, namespace: a}]
  http:
    - {name: one, labels: {route: one}, matchers: [{uri: {prefix: /one}}], directResponse: {status: 200}}
    - {name: two, labels: {route: two}, matchers: [{uri: {prefix: /two}}], directResponse: {status: 200}}
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: keys, namespace: a}
spec:
  applyToRoutes: [{route: {labels: {route: one}}}]
  config:
    glooAuth:
      configs: [{apiKeyAuth: {k8sSecretApikeyStorage: {labelSelector: {team: a}}}}]
---
apiVersion: v1
kind: Secret
type: extauth.solo.io/apikey
metadata: {name: good, namespace: a, labels: {team: a}}
data: {api-key: Z29vZA==}
---
apiVersion: v1
kind: Secret
type: extauth.solo.io/apikey
metadata: {name: revoked, namespace: a, labels: {team: a}}
data: {api-key: cmV2b2tlZA==}
"""
TRANSFORMATION = """
apiVersion: trafficcontrol.policy.gloo.solo.io/v2
kind: TransformationPolicy
metadata: {name: large, namespace: a}
spec:
  applyToRoutes: [{route: {labels: {route: two}}}]
  config: {request: {injaTemplate: {body: {text: TEXT}}}}
"""
LARGE = ObjectRef("TransformationPolicy", "a", "large")
REVOKED = ObjectRef("Secret", "a", "revoked")


def apply(bench: Bench, cluster: Cluster) -> None:
    for one in cluster.objects.values():
        bench.store.upsert(one)
    bench.trigger.mark()


def keys_in(bundle: Bundle) -> set[str]:
    groups = [data for name, data in bundle.groups.items() if name != "routes"]
    return {one.name for group in groups for one in decode_credentials(group).credentials}


def limit(bench: Bench, size: int) -> None:
    bench.renderer.settings = replace(bench.renderer.settings, config_bytes=size)


def test_revocation_is_published_although_a_policy_is_too_large_and_the_policy_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = Cluster().apply_yaml(CLUSTER)

    async def work(bench: Bench) -> None:
        limit(bench, 5000)
        apply(bench, cluster)
        await bench.lead()
        await bench.until(lambda: len(bench.world.saved) == 1)
        bench.store.remove(REVOKED, version=100)
        cluster.version = 100
        apply(bench, cluster.delete(REVOKED).apply_yaml(TRANSFORMATION.replace("TEXT", "x" * 5000)))
        await bench.until(lambda: len(bench.world.saved) == 2)
        bench.trigger.mark()
        await bench.until(lambda: len(bench.world.saved) == 3)
        status = bench.world.statuses.of(LARGE)
        assert status is not None
        assert (Approval.INVALID, "TooLarge", None) == (status.approval, status.reason, status.served_generation)
        assert [LARGE] == [one.ref for one in bench.world.statuses if one.reason == "TooLarge"]
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "short")))
        await bench.until(lambda: len(bench.world.saved) == 4)

    with caplog.at_level(logging.INFO):
        world = scenario(work).world
    assert [{"good", "revoked"}, {"good"}, {"good"}, {"good"}] == [keys_in(bundle) for bundle in world.published]
    first, *over, last = world.published
    assert [first.groups["routes"]] * 2 == [one.groups["routes"] for one in over]
    assert b"short" in last.groups["routes"]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert 1 == len(warnings)
    assert warnings[0].endswith(
        "of at most 5000 (config_bytes): routes, policies and gateways stay as they were last published until it fits; "
        "revoked keys are refused at once."
    )
    assert 1 == caplog.text.count("Everything fits again.")
    assert {one.approval for one in world.statuses if one.ref == LARGE} <= {Approval.ACCEPTED, Approval.WARNING}


def test_what_is_remembered_is_what_was_good_when_it_fitted() -> None:
    cluster = Cluster().apply_yaml(CLUSTER)

    async def work(bench: Bench) -> None:
        limit(bench, 5000)
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "short")))
        await bench.lead()
        await bench.until(lambda: len(bench.world.saved) == 1)
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "x" * 5000)))
        await bench.until(lambda: len(bench.world.saved) == 2)
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "'{{ bad'")))
        await bench.until(lambda: len(bench.world.saved) == 3)

    world = scenario(work).world
    assert [world.saved[0][LARGE]] * 3 == [one[LARGE] for one in world.saved]
    assert world.published[0] == world.published[-1]


def test_new_leader_over_the_bound_publishes_what_its_predecessor_would() -> None:
    cluster = Cluster().apply_yaml(CLUSTER)

    async def work(bench: Bench) -> None:
        limit(bench, 5000)
        apply(bench, cluster)
        await bench.lead()
        await bench.until(lambda: len(bench.world.saved) == 1)
        await bench.lose_the_lease()
        bench.term = Term("operator-b", began=1.0)
        bench.world.read_failures = [ConnectionFailed("gone")]
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "x" * 5000)))
        await bench.lead()
        await bench.until(lambda: len(bench.world.saved) == 2)

    world = scenario(work).world
    assert world.published[0] == world.published[1]
    assert LARGE not in world.saved[1]
    assert "TooLarge" == next(one.reason for one in world.statuses if one.ref == LARGE)


def test_config_whose_publishing_was_not_answered_is_what_stays_over_the_bound() -> None:
    """It may be in force: to publish what was in force before it would open what it has closed."""
    cluster = Cluster().apply_yaml(CLUSTER)

    async def work(bench: Bench) -> None:
        limit(bench, 5000)
        apply(bench, cluster)
        await bench.lead()
        await bench.until(lambda: len(bench.world.saved) == 1)
        bench.world.failures = [ConnectionFailed("no answer")]
        apply(bench, cluster.apply_yaml(CLUSTER.replace("route: one}}}]", "route: two}}}]")))
        await bench.until(lambda: not bench.world.failures)
        apply(bench, cluster.apply_yaml(TRANSFORMATION.replace("TEXT", "x" * 5000)))
        await bench.until(lambda: len(bench.world.saved) == 2)

    world = scenario(work).world
    before, after = (decode(one).config for one in world.published)
    (guarded,) = [one.name for one in _routes(after) if one.auth is not None]
    assert guarded not in [one.name for one in _routes(before) if one.auth is not None]


def _routes(config: GatewayConfig) -> list[Route]:
    return [route for one in config.listeners for host in one.virtual_hosts for route in host.routes]


def test_size_of_the_whole_config_is_a_metric_published_or_not() -> None:
    async def work(bench: Bench) -> None:
        apply(bench, Cluster().apply_yaml(CLUSTER))
        await bench.lead()
        await bench.until(lambda: bench.world.saved)
        size = size_of(bench.world.published[0])
        assert f"wardgate_operator_config_bytes {float(size)}" in _shown(bench)
        limit(bench, 100)
        bench.trigger.mark()
        await bench.until(lambda: len(bench.world.saved) == 2)
        assert f"wardgate_operator_config_bytes {float(size)}" in _shown(bench)

    scenario(work)


def _shown(bench: Bench) -> str:
    registry = CollectorRegistry()
    registry.register(bench.metrics)
    return generate_latest(registry).decode()


def test_first_config_that_is_too_large_is_not_published_and_is_told() -> None:
    async def work(bench: Bench) -> None:
        limit(bench, 100)
        apply(bench, Cluster().apply_yaml(CLUSTER))
        await bench.lead()
        await bench.until(lambda: bench.world.saved)

    world = scenario(work).world
    assert [] == world.published
    assert {"TooLarge"} == {one.reason for one in world.statuses}
    assert [{}] == world.saved
