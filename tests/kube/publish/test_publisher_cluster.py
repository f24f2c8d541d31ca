"""Publishing, sweeping and remembering on a real API server, with the operator's rights and no others."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.kube.published import routes_of
from tests.kube.publishing import RELEASE, bundle, bundle_of
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.connect import connect
from wardgate.kube.api.list_watch import watch_from
from wardgate.kube.delivery.index import Index, index_name, read_index
from wardgate.kube.delivery.shards import joined, read_shard
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.term import Term
from wardgate.kube.publish.damage_watch import DamageWatch
from wardgate.kube.publish.publisher import Deposed, Publisher
from wardgate.kube.publish.sweep import KEPT, Sweeper
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle

pytestmark = pytest.mark.measured

ACCOUNT = "operator"
ONE = bundle(routes="routes 1", keys_000="keys 1")
TWO = bundle(routes="routes 1", keys_000="keys 2")
SECONDS = 10.0


def rights(*rules: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"apiGroups": [""], "resources": ["secrets"], **rule} for rule in rules]


CONFIG_RIGHTS = rights({"verbs": ["get", "list", "watch", "create", "update", "delete"]})
STATE_RIGHTS = rights(
    {"verbs": ["create", "list"]},
    {
        "verbs": ["get", "update"],
        "resourceNames": [f"{RELEASE}-state", *(f"{RELEASE}-state-{n}" for n in range(1, 32))],
    },
)


class Site:
    """A config namespace and a release namespace of the test's own, and the operator that may write there."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.config = cluster.namespace("config")
        self.release = cluster.namespace("release")
        token = cluster.service_account_token(self.release, ACCOUNT)
        self.user = f"system:serviceaccount:{self.release}:{ACCOUNT}"
        self.kubeconfig: Path = cluster.kubeconfig_for(token=token)
        self._grant(self.config, CONFIG_RIGHTS)
        self._grant(self.release, STATE_RIGHTS)
        cluster.wait_until(self._may_list, seconds=SECONDS, what="the roles count")

    @asynccontextmanager
    async def client(self) -> AsyncIterator[KubeClient]:
        client = await connect(kubeconfig=str(self.kubeconfig))
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def leader(self, name: str = "operator-a") -> AsyncIterator[Publisher]:
        async with self.client() as client:
            publisher = Publisher(client, release=RELEASE, namespace=self.config, now=time.time)
            await publisher.take_over(Term(name, began=time.time()))
            yield publisher

    def state(self, client: KubeClient, name: str = "operator-a") -> StateStore:
        return StateStore(client, release=RELEASE, namespace=self.release, term=Term(name, began=time.time()))

    def index(self) -> Index:
        return read_index(self.cluster.get("Secret", index_name(RELEASE), namespace=self.config))

    def in_force(self) -> Bundle:
        index = self.index()
        parts = {
            one.sha256: read_shard(self.cluster.get("Secret", one.name, namespace=self.config), one)
            for one in index.shards
        }
        groups = {group: joined(shards, parts) for group, shards in index.groups.items()}
        return Bundle(index.schema, index.revision, groups, index.hashes)

    def shards(self) -> set[str]:
        names = {one["metadata"]["name"] for one in self.cluster.list("Secret", namespace=self.config)}
        return names - {index_name(RELEASE)}

    def delete(self, name: str) -> None:
        self.cluster.delete("Secret", name, namespace=self.config)

    def _may_list(self) -> bool:
        namespaces = (self.config, self.release)
        return all(self.cluster.can(self.user, "list", "Secret", namespace=one) for one in namespaces)

    def _grant(self, namespace: str, rules: list[dict[str, Any]]) -> None:
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": ACCOUNT, "namespace": namespace}}
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.release}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT}
        self.cluster.apply({**role, "kind": "Role", "rules": rules})
        self.cluster.apply({**role, "kind": "RoleBinding", "subjects": [subject], "roleRef": reference})


@pytest.fixture
def site(cluster: Cluster) -> Site:
    return Site(cluster)


async def guarded(publisher: Publisher, act: Callable[[asyncio.Event], Awaitable[object]]) -> None:
    """Do something while a guard watches."""
    woken = asyncio.Event()
    watching = spawn(DamageWatch(publisher, wake=woken.set, trouble=lambda error: None).follow(), name="guard")
    try:
        await asyncio.wait_for(act(woken), SECONDS)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def test_published_revision_is_what_a_proxy_reads(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            first = await publisher.publish(ONE)
            assert (2, True) == (first.created, first.index_written)
            assert ONE == site.in_force()
            second = await publisher.publish(TWO)
            assert (1, True) == (second.created, second.index_written)
            assert TWO == site.in_force()
            assert await publisher.renew()
            assert second.sequence == site.index().sequence

    asyncio.run(scenario())


def test_isolated_change_is_published_in_two_requests(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            await publisher.publish(ONE)
            mark = site.cluster.audit_mark()
            await publisher.publish(TWO)
            made = site.cluster.audit(since=mark, user=site.user)
            assert ["create", "update"] == [event.verb for event in made]

    asyncio.run(scenario())


def test_second_leader_shuts_the_first_one_out(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader("operator-a") as older, site.leader("operator-b") as newer:
            await newer.publish(ONE)
            with pytest.raises(Deposed):
                await older.publish(TWO)
            assert ONE == site.in_force()
            await older.take_over(Term("operator-a", began=time.time()))
            with pytest.raises(Deposed):
                await newer.renew()
            await older.publish(TWO)
            assert TWO == site.in_force()

    asyncio.run(scenario())


def test_deleted_index_and_shard_are_noticed_and_repaired(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            first = await publisher.publish(ONE)

            async def hurt_and_repair(woken: asyncio.Event) -> None:
                for name in (index_name(RELEASE), site.index().shards[0].name):
                    await asyncio.to_thread(site.delete, name)
                    await woken.wait()
                    await publisher.publish(ONE)
                    woken.clear()
                    assert ONE == site.in_force()

            await guarded(publisher, hurt_and_repair)
            assert site.index().sequence > first.sequence

    asyncio.run(scenario())


def test_index_that_someone_rolled_back_is_noticed_and_repaired(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            await publisher.publish(ONE)
            old = site.cluster.get("Secret", index_name(RELEASE), namespace=site.config)
            second = await publisher.publish(TWO)

            async def roll_back_and_repair(woken: asyncio.Event) -> None:
                patch = {"data": old["data"]}
                await asyncio.to_thread(site.cluster.patch, "Secret", index_name(RELEASE), patch, namespace=site.config)
                await woken.wait()
                third = await publisher.publish(TWO)
                assert third.sequence > second.sequence
                assert TWO == site.in_force()

            await guarded(publisher, roll_back_and_repair)

    asyncio.run(scenario())


def test_watch_wakes_nobody_for_what_we_write_ourselves(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            await publisher.publish(ONE)
            damaged: list[bool] = []
            notice = publisher.notice

            async def noting(kind: str, metadata: dict[str, Any]) -> None:
                await notice(kind, metadata)
                damaged.append(publisher.is_damaged)

            publisher.notice = noting  # type: ignore[method-assign, assignment]

            async def write(woken: asyncio.Event) -> None:
                for number in range(20):
                    await publisher.publish(bundle(routes=str(number)))
                    await publisher.renew()
                # The watch has told of everything once it told of this.
                await asyncio.to_thread(site.delete, site.index().shards[0].name)
                await woken.wait()

            await guarded(publisher, write)
            # The watch begins while the first of the sixty writes are made.
            assert len(damaged) > 50
            assert [False] * (len(damaged) - 1) + [True] == damaged

    asyncio.run(scenario())


def test_idle_shards_are_swept_and_others_stay(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            for text in "12345":
                await publisher.publish(bundle(routes=text, keys_000="keys"))
            site.cluster.create(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "someone-elses", "namespace": site.config},
                }
            )
            seconds = 0.0
            sweeper = Sweeper(publisher, clock=lambda: seconds)
            await publisher.recount()
            assert 0 == await sweeper.sweep()
            seconds = KEPT + 1
            assert 4 == await sweeper.sweep()
            assert bundle(routes="5", keys_000="keys") == site.in_force()
            assert {"someone-elses", *(one.name for one in site.index().shards)} == site.shards()

    asyncio.run(scenario())


def test_largest_config_and_parts_that_compress_worst_are_taken_by_the_api_server(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            large = bundle_of({"routes": os.urandom(Settings().config_bytes)})
            assert 60 < (await publisher.publish(large)).created
            assert large == site.in_force()
            assert large == await publisher.read()

    asyncio.run(scenario())


def test_change_of_one_route_of_several_shards_writes_one_part_and_the_rest_is_swept(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            before, after = (bundle_of({"routes": routes_of(20_000, changed=place)}) for place in (-1, 9_000))
            assert 4 < (await publisher.publish(before)).created
            assert (await publisher.publish(after)).created <= 2
            assert after == site.in_force()
            seconds = 0.0
            sweeper = Sweeper(publisher, clock=lambda: seconds)
            assert 0 == await sweeper.sweep()
            seconds = KEPT + 1
            assert 1 <= await sweeper.sweep() <= 2
            assert {one.name for one in site.index().shards} == site.shards()
            assert after == site.in_force()

    asyncio.run(scenario())


def test_deleted_part_is_noticed_and_repaired(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            large = bundle_of({"routes": routes_of(20_000)})
            await publisher.publish(large)

            async def hurt_and_repair(woken: asyncio.Event) -> None:
                await asyncio.to_thread(site.delete, site.index().shards[2].name)
                await woken.wait()
                assert 1 == (await publisher.publish(large)).created
                assert large == site.in_force()

            await guarded(publisher, hurt_and_repair)

    asyncio.run(scenario())


def test_next_leader_leaves_what_is_in_force_as_it_was_cut(site: Site) -> None:
    async def scenario() -> None:
        routes = routes_of(20_000)
        async with site.leader("operator-a") as publisher:
            await publisher.publish(bundle_of({"routes": routes, "keys-000": b"1"}))
        before = site.index().groups["routes"]
        async with site.client() as client:
            newer = Publisher(client, release=RELEASE, namespace=site.config, now=time.time, max_part=50_000)
            await newer.take_over(Term("operator-b", began=1.0))
            assert 1 == (await newer.publish(bundle_of({"routes": routes, "keys-000": b"2"}))).created
        assert before == site.index().groups["routes"]

    asyncio.run(scenario())


def test_config_is_never_transferred_when_only_its_names_are_wanted(site: Site) -> None:
    async def scenario() -> None:
        async with site.leader() as publisher:
            await publisher.publish(ONE)
            listed, version = await publisher.secrets.list()
            assert 3 == len(listed)
            assert not any("data" in one for one in listed)
            await publisher.publish(TWO)
            secrets = publisher.secrets
            watch = watch_from(secrets.client, secrets.metadata, version=version, silence=60.0, random=lambda: 0.0)
            async with watch as events:
                event = await anext(events)
            assert "ADDED" == event["type"]
            assert "data" not in event["object"]

    asyncio.run(scenario())


def test_state_is_kept_from_one_operator_to_the_next(site: Site) -> None:
    async def scenario() -> None:
        stored = [_stored(number) for number in range(600)]
        last_good = {one.ref: one for one in stored}
        async with site.client() as client:
            older, newer = site.state(client, "operator-a"), site.state(client, "operator-b")
            assert {} == await older.load()
            assert 2 <= await older.save(last_good)
            found = await newer.load()
            assert last_good == found
            assert [one.manifest for one in stored] == [one.manifest for one in found.values()]
            assert not newer.problem
            await newer.save(last_good)
            with pytest.raises(Deposed):
                await older.save({})

    asyncio.run(scenario())


def _stored(number: int) -> StoredObject:
    manifest = {"kind": "RouteTable", "spec": {"text": f"{number:03}" * 700}}
    ref = ObjectRef("RouteTable", "team", f"table-{number:03}")
    return StoredObject(ref, f"uid-{number}", number, 1, "2026-01-01T00:00:00Z", manifest)
