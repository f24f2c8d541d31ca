"""The operator's reading side at work on a real API server, with the rights that the chart gives and no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Cluster
from tests.kube.manifests import external_service
from wardgate.api import KINDS
from wardgate.kube.api.connect import connect
from wardgate.kube.api.pacing import Timing
from wardgate.kube.watch.cluster_watch import ClusterWatch, WatchScope
from wardgate.kube.watch.kind_resources import READ_KINDS, resource_of
from wardgate.kube.watch.kopf_events import KopfEvents
from wardgate.kube.watch.resync import Resync
from wardgate.kube.watch.secrets_watch import SecretsScope, SecretsWatch
from wardgate.problems import ObjectRef
from wardgate.store import Store
from wardgate.tasks import spawn

NAME = "wardgate-operator"
DEADLINE = 60.0


@dataclass
class Watching:
    """What runs, and what came of it. ``marks`` counts the calls to translate again."""

    store: Store
    marks: int = 0
    rollbacks: int = 0
    dirty: asyncio.Event = field(default_factory=asyncio.Event)
    cluster: ClusterWatch = field(init=False)

    @property
    def secrets(self) -> SecretsWatch:
        return self.cluster.secrets

    @property
    def resync(self) -> Resync:
        return self.cluster.resync

    @property
    def kopf_events(self) -> KopfEvents:
        return self.cluster.kopf_events

    def note_rollback(self) -> None:
        self.rollbacks += 1

    def mark(self) -> None:
        self.marks += 1
        self.dirty.set()

    def names(self, kind: str = "Secret") -> set[str]:
        """The objects that a translation would see."""
        return {obj.ref.name for obj in self.store.freeze().of(kind)}

    def labels(self, name: str, kind: str = "Secret") -> dict[str, str]:
        """The labels of one of them."""
        (obj,) = (obj for obj in self.store.freeze().of(kind) if obj.ref.name == name)
        metadata = obj.manifest["metadata"]
        assert isinstance(metadata, dict)
        return dict(metadata.get("labels", {}))

    async def until(self, probe: Callable[[], object], *, seconds: float = 10.0) -> float:
        """Wait until something is true; return how long that took."""
        began = time.perf_counter()
        while not probe():
            if time.perf_counter() - began > seconds:
                raise TimeoutError
            await asyncio.sleep(0.002)
        return time.perf_counter() - began

    async def has(self, *names: str, kind: str = "Secret", seconds: float = 10.0) -> float:
        """Wait until exactly these objects are seen."""
        return await self.until(lambda: set(names) == self.names(kind), seconds=seconds)

    async def is_quiet(self) -> None:
        """Wait until everything is listed and every Secret's watch is open."""
        await self.until(lambda: not self.cluster.missing() and self.secrets.is_live)

    async def kopf_is_up(self, api: Cluster, namespace: str) -> None:
        """Wait until kopf's watches bring what is written: it does not say so itself."""
        await self.until(lambda: self.kopf_events.watching == self.resync.watchable)
        for number in range(100):
            name = f"warm-up-{number}"
            api.create(as_written(external_service(name, namespace=namespace)))
            try:
                await self.until(lambda name=name: name in self.names("ExternalService"), seconds=0.3)  # type: ignore[misc]
            except TimeoutError:
                continue
            api.delete_all("ExternalService", namespace=namespace)
            await self.until(lambda: not any(name.startswith("warm-up") for name in self.names("ExternalService")))
            return
        raise AssertionError("kopf brought nothing.")


class Account:
    """The operator's ServiceAccount in a release namespace of its own, with rights to read and no others."""

    def __init__(self, cluster: Cluster, *, kinds: Iterable[str] = READ_KINDS, secrets: bool = True) -> None:
        self.cluster = cluster
        self.namespace = cluster.namespace("release")
        self.token = cluster.service_account_token(self.namespace, NAME)
        self.user = f"system:serviceaccount:{self.namespace}:{NAME}"
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": self._role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self._role},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": self.namespace}],
        }
        cluster.apply(binding)
        self.allow(kinds=kinds, secrets=secrets)

    def allow(self, *, kinds: Iterable[str] = READ_KINDS, secrets: bool = True) -> None:
        """Let it list and watch these from now on, and nothing else."""
        allowed = frozenset(kinds)
        rules = [
            {"apiGroups": [resource.group], "resources": [resource.plural], "verbs": ["get", "list", "watch"]}
            for resource in map(resource_of, sorted(allowed))
        ]
        if secrets:
            rules.append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]})
        role = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": self._role},
            "rules": rules,
        }
        self.cluster.apply(role)
        ours = allowed & KINDS.keys()
        self.cluster.wait_until(lambda: self._may() == ours, seconds=10, what="the rights on our kinds")
        self.cluster.wait_until(
            lambda: self.cluster.can(self.user, "watch", "Secret") is secrets, seconds=10, what="the right on Secrets"
        )

    def kubeconfig(self, server: str | None = None, token_file: Path | None = None) -> Path:
        """Where and as whom to connect."""
        if token_file is not None:
            return self.cluster.kubeconfig_for(token_file=token_file, server=server)
        return self.cluster.kubeconfig_for(token=self.token, server=server)

    def renew(self) -> None:
        """Make all tokens so far bad, and a new one."""
        self.cluster.delete("ServiceAccount", NAME, namespace=self.namespace)
        self.token = self.cluster.service_account_token(self.namespace, NAME)

    @property
    def _role(self) -> str:
        return f"{self.namespace}-operator"

    def _may(self) -> frozenset[str]:
        served = [kind for kind in KINDS if self._is_served(kind)]
        return frozenset(kind for kind in served if self.cluster.can(self.user, "watch", kind))

    def _is_served(self, kind: str) -> bool:
        try:
            self.cluster.resource(kind)
        except LookupError:
            return False
        return True


@asynccontextmanager
async def watching(
    account: Account,
    *,
    server: str | None = None,
    token_file: Path | None = None,
    scope: SecretsScope | None = None,
    namespaces: Iterable[str] = (),
    silence: float = 75.0,
    period: float = 60.0,
) -> AsyncIterator[Watching]:
    """Run the reading side in that identity."""
    kubeconfig = account.kubeconfig(server, token_file)
    client = await connect(kubeconfig=str(kubeconfig), user_agent="test-operator")
    store = Store()
    chosen = WatchScope(frozenset(namespaces), scope or SecretsScope(), silence=silence, period=period)
    it = Watching(store)
    it.cluster = ClusterWatch(
        client, store, scope=chosen, timing=Timing(), on_change=it.mark, on_rollback=it.note_rollback
    )
    task = spawn(it.cluster.run(), name="watching")
    try:
        yield it
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work

    asyncio.run(bounded())


def named(namespace: str, *names: str) -> list[ObjectRef]:
    """Secrets that objects name."""
    return [ObjectRef("Secret", namespace, name) for name in names]


def as_written(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest as a user writes it."""
    metadata = {name: manifest["metadata"][name] for name in ("name", "namespace", "labels")}
    kind = {"apiVersion": "v1", "kind": "Secret"} if "data" in manifest else {}
    return {**kind, **manifest, "metadata": metadata}
