"""The election on a real API server, with the operator's rights on the Lease."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest

from tests.cluster.cluster import Cluster
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.connect import connect
from wardgate.kube.api.owner import Owner
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.lease import Lease
from wardgate.tasks import spawn

pytestmark = [pytest.mark.slow, pytest.mark.measured]

NAME = "wardgate-operator"


@dataclass
class Replica:
    lease: Lease
    client: KubeClient
    started: list[float] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    async def lead(self) -> None:
        self.started.append(time.monotonic())

    async def kill(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def kubeconfig(cluster: Cluster) -> str:
    """Who may do with Leases what the chart says."""
    namespace = cluster.namespace("wardgate")
    token = cluster.service_account_token(namespace, NAME)
    kinds = "rbac.authorization.k8s.io"
    cluster.apply(
        [
            {
                "apiVersion": f"{kinds}/v1",
                "kind": "Role",
                "metadata": {"name": NAME},
                "rules": [
                    {
                        "apiGroups": ["coordination.k8s.io"],
                        "resources": ["leases"],
                        "verbs": ["get", "create", "update"],
                    }
                ],
            },
            {
                "apiVersion": f"{kinds}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": NAME},
                "roleRef": {"apiGroup": kinds, "kind": "Role", "name": NAME},
                "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
            },
        ],
        namespace=namespace,
    )
    user = f"system:serviceaccount:{namespace}:{NAME}"
    cluster.wait_until(
        lambda: cluster.can(user, "update", "Lease", namespace=namespace), seconds=10, what="the right on Leases"
    )
    return f"{cluster.kubeconfig_for(token=token)} {namespace}"


@asynccontextmanager
async def electing(
    kubeconfig: str, *identities: str, owners: Mapping[str, Owner] = MappingProxyType({})
) -> AsyncIterator[list[Replica]]:
    """Replicas that joined one after the other. ``owners`` by their identities."""
    path, namespace = kubeconfig.split()
    replicas = []
    for identity in identities:
        client = await connect(kubeconfig=path, user_agent=identity)
        owner = owners.get(identity)
        lease = Lease(client, namespace=namespace, name=NAME, identity=identity, timing=Timing(), owner=owner)
        replica = Replica(lease, client)
        replica.task = spawn(lease.run(replica.lead), name=identity)
        replicas.append(replica)
        await until(lambda: replicas[0].started)
    try:
        yield replicas
    finally:
        for replica in replicas:
            await replica.kill()
            await replica.client.close()


async def until(probe: Callable[[], object], *, seconds: float = 5.0) -> float:
    began = time.monotonic()
    while not probe():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def test_lease_that_is_set_free_is_taken_over_within_little_more_than_a_second(kubeconfig: str) -> None:
    async def scenario() -> None:
        async with electing(kubeconfig, "one", "two") as (one, two):
            await until(lambda: two.lease.holder == "one")
            assert (True, False) == (one.lease.is_leader, two.lease.is_leader)
            await one.kill()
            began = time.monotonic()
            await one.lease.release()
            assert time.monotonic() - began < 0.5
            assert await until(lambda: two.started) < 2.0
            assert (False, True) == (one.lease.is_leader, two.lease.is_leader)

    asyncio.run(scenario())


def test_killed_leader_is_replaced_within_fifteen_seconds(kubeconfig: str) -> None:
    async def scenario() -> None:
        async with electing(kubeconfig, "one", "two") as (one, two):
            await until(lambda: two.lease.holder == "one")
            await one.kill()
            assert 7.0 < await until(lambda: two.started, seconds=15.0) < 15.0

    asyncio.run(scenario())


def test_lease_that_an_uninstalled_release_left_behind_is_taken_over_at_once(kubeconfig: str) -> None:
    owners = {"before": Owner(NAME, "uid of the account before"), "now": Owner(NAME, "uid of the account now")}

    async def scenario() -> None:
        async with electing(kubeconfig, "before", owners=owners) as (before,):
            await before.kill()
            async with electing(kubeconfig, "now", owners=owners) as (now,):
                assert await until(lambda: now.started) < 2.0

    asyncio.run(scenario())


def test_lease_says_to_people_who_leads_and_since_when(cluster: Cluster, kubeconfig: str) -> None:
    async def scenario() -> None:
        async with electing(kubeconfig, "one"):
            spec = cluster.get("Lease", NAME, namespace=kubeconfig.split()[1])["spec"]
            assert ("one", 10, 0) == (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"])
            assert spec["acquireTime"] <= spec["renewTime"]

    asyncio.run(scenario())
