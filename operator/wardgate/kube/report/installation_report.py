"""An installation as somebody with a kubeconfig finds it: objects and their statuses, keys by name, index, proxies.

Everything is asked for once and side by side. A part that may not be read, or does not answer, is a sentence in
``unknown`` and not the end of the rest. Key Secrets are listed as metadata, so that no value of an entry is
transferred; the index holds none. Proxies are reached through the API server, as ``kubectl get --raw`` would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from wardgate.api import KINDS
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.kube.api.client import Parameters
from wardgate.kube.api.errors import ApiError, ConnectionFailed, KubeError
from wardgate.kube.api.resources import ENDPOINT_SLICES, LEASES, SECRETS
from wardgate.kube.delivery.index import Index, UnreadableIndexError, index_name, read_index
from wardgate.kube.report.key_uses import with_uses
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject, read_key, read_object
from wardgate.kube.status.proxy_views import ProxyEndpoint, ProxyView, endpoints_of, read_announcement
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.translate.manifests import at
from wardgate.translate.tenancy import Tenancy

Manifest: TypeAlias = dict[str, Any]
T = TypeVar("T")

_AT_ONCE: Final = 16


class ReportError(KubeError):
    """There is nothing to show; the text says why and what to do."""


class ReportClient(Protocol):
    """The part of ``KubeClient`` that a report needs."""

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
        """Read one object, or one page."""
        ...

    def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        """Read a list page by page."""
        ...


@dataclass(frozen=True, slots=True)
class Release:
    """Which installation: its name, its namespace, and the one with its published config."""

    name: str
    namespace: str
    config_namespace: str


@dataclass(frozen=True, slots=True)
class Leader:
    """Who holds the Lease. ``holder`` is empty where nobody does; ``lasts`` in seconds from ``renewed`` on."""

    holder: str
    renewed: datetime | None
    lasts: int

    def is_alive(self, now: datetime) -> bool:
        """Whether an operator leads, as far as the Lease and our clock say."""
        return bool(self.holder) and self.renewed is not None and (now - self.renewed).total_seconds() <= self.lasts


@dataclass(frozen=True, slots=True)
class InstallationReport:
    """Everything that was found. ``keys``, ``index``, ``leader`` and ``proxies`` are None where they may not be read.

    ``index`` and ``leader`` are None where they are absent, too.
    """

    release: Release
    taken: datetime
    objects: tuple[ReportedObject, ...]
    keys: tuple[ReportedKey, ...] | None
    index: Index | None
    leader: Leader | None
    proxies: tuple[ProxyView, ...] | None
    unknown: tuple[str, ...]

    @property
    def verified(self) -> datetime | None:
        """When the operator last vouched for what is published."""
        return None if self.index is None else _time(self.index.verified_at)

    @property
    def tenancy(self) -> Tenancy | None:
        """The tenancy that the operator follows; None where it is not told."""
        return _tenancy(self.index)

    def of(self, kind: str) -> list[ReportedObject]:
        """All objects of a kind, sorted."""
        return [one for one in self.objects if one.ref.kind == kind]


async def take_report(client: ReportClient, release: Release, *, now: Callable[[], datetime]) -> InstallationReport:
    """Look once. Raises ``ReportError``."""
    collector = _Collector(client, release)
    try:
        return await collector.take(now)
    except ConnectionFailed as error:
        msg = f"The API server does not answer ({error}). Look at the kubeconfig's server and at your network."
        raise ReportError(msg) from error


class _Collector:
    def __init__(self, client: ReportClient, release: Release) -> None:
        self._client = client
        self._release = release
        self._unknown: list[str] = []
        self._left_out = frozenset[str]()
        """Kinds that could not be listed."""
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def take(self, now: Callable[[], datetime]) -> InstallationReport:
        objects = await self._objects()
        keys, index, leader, endpoints = await asyncio.gather(
            self._keys(), self._index(), self._leader(), self._endpoints()
        )
        if index is None and leader is None and not endpoints and not self._unknown:
            raise ReportError(_not_installed(self._release))
        proxies = await asyncio.gather(*(self._ask(endpoint) for endpoint in endpoints or ()))
        return InstallationReport(
            release=self._release,
            taken=now(),
            objects=objects,
            keys=self._with_uses(keys, objects, tenancy=_tenancy(index)),
            index=index,
            leader=leader,
            proxies=None if endpoints is None else tuple(proxies),
            unknown=tuple(sorted(self._unknown)),
        )

    def _with_uses(
        self, keys: tuple[ReportedKey, ...] | None, objects: tuple[ReportedObject, ...], *, tenancy: Tenancy | None
    ) -> tuple[ReportedKey, ...] | None:
        """Where policies could not be listed, nobody knows which keys they select."""
        if keys is None or "ExtAuthPolicy" in self._left_out:
            return keys
        policies = [one for one in objects if one.ref.kind == "ExtAuthPolicy"]
        return with_uses(keys, policies, tenancy=tenancy or Tenancy())

    async def _objects(self) -> tuple[ReportedObject, ...]:
        answers = dict(zip(KINDS, await asyncio.gather(*map(self._list, KINDS)), strict=True))
        failed = {kind: answer for kind, answer in answers.items() if isinstance(answer, ApiError)}
        if len(failed) == len(KINDS):
            raise ReportError(_no_kind(failed))
        self._left_out = frozenset(failed)
        for kind, error in failed.items():
            self._unknown.append(_left_out(kind, error))
        found = [one for answer in answers.values() if not isinstance(answer, ApiError) for one in answer]
        return tuple(sorted(found, key=lambda one: one.ref))

    async def _list(self, kind: str) -> list[ReportedObject] | ApiError:
        try:
            return [
                read_object(kind, item)
                async for page in self._client.pages(resource_of(kind).path())
                for item in page.get("items") or ()
            ]
        except ApiError as error:
            return error

    async def _keys(self) -> tuple[ReportedKey, ...] | None:
        async def listed() -> list[ReportedKey]:
            selector = {"fieldSelector": f"type={KEY_SECRET_TYPE}"}
            return [
                read_key(item)
                async for page in self._client.pages(SECRETS.path(), selector, metadata_only=True)
                for item in page.get("items") or ()
            ]

        keys = await self._maybe(listed(), "You may not list Secrets in all namespaces: keys are counted, not named.")
        return None if keys is None else tuple(sorted(keys, key=lambda key: key.ref))

    async def _index(self) -> Index | None:
        name, namespace = index_name(self._release.name), self._release.config_namespace
        denied = f"You may not get Secret {namespace}/{name}: what is published is not known."
        secret = await self._maybe(self._client.get(SECRETS.path(namespace, name)), denied)
        try:
            return None if secret is None else read_index(secret)
        except UnreadableIndexError as error:
            self._unknown.append(f"Secret {namespace}/{name}: {error} The leading operator writes it anew.")
            return None

    async def _leader(self) -> Leader | None:
        name, namespace = f"{self._release.name}-operator", self._release.namespace
        denied = f"You may not get Lease {namespace}/{name}: who leads is not known."
        lease = await self._maybe(self._client.get(LEASES.path(namespace, name)), denied)
        if lease is None:
            return None
        lasts = at(lease, "spec", "leaseDurationSeconds")
        return Leader(
            holder=str(at(lease, "spec", "holderIdentity") or ""),
            renewed=_time(at(lease, "spec", "renewTime")),
            lasts=lasts if isinstance(lasts, int) else 0,
        )

    async def _endpoints(self) -> tuple[ProxyEndpoint, ...] | None:
        namespace = self._release.namespace
        selector = {"labelSelector": f"kubernetes.io/service-name={self._release.name}-proxy-admin"}
        denied = f"You may not list EndpointSlices in namespace {namespace}: which proxies there are is not known."
        listed = await self._maybe(self._client.get(ENDPOINT_SLICES.path(namespace), selector), denied)
        return None if listed is None else endpoints_of(listed.get("items") or ())

    async def _ask(self, endpoint: ProxyEndpoint) -> ProxyView:
        """Ask a proxy through the API server, which reaches Pods from wherever we are."""
        namespace, port = self._release.namespace, urlsplit(endpoint.url).port
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(endpoint.name)}:{port}/proxy/revision"
        try:
            async with self._at_once:
                announced = read_announcement(await self._client.get(path))
        except ApiError as error:
            return ProxyView(endpoint, None, _unreached(error, namespace))
        except (ConnectionFailed, AssertionError):
            announced = None
        return ProxyView(endpoint, announced, "" if announced else "its admin port answers with what no proxy says")

    async def _maybe(self, work: Awaitable[T], denied: str) -> T | None:
        """The result of ``work``; None where it is absent, or may not be read, which is noted in ``unknown``."""
        try:
            return await work
        except ApiError as error:
            if not error.is_absent:
                self._unknown.append(denied if error.is_forbidden else f"{denied} ({error})")
            return None


def _tenancy(index: Index | None) -> Tenancy | None:
    if index is None or index.tenancy not in {"shared", "isolated"}:
        return None
    return Tenancy(isolated=index.tenancy == "isolated", platform=frozenset(index.platform))


def _left_out(kind: str, error: ApiError) -> str:
    name = f"{KINDS[kind].plural}.{KINDS[kind].group}"
    if error.is_absent:
        return f"The cluster has no CRD {name}: wardgate crds {KINDS[kind].plural} | kubectl apply --server-side -f -"
    why = "You may not list" if error.is_forbidden else "The API server cannot list"
    return f"{why} {name} in all namespaces ({error.status}): objects of kind {kind} are left out."


def _no_kind(failed: Mapping[str, ApiError]) -> str:
    if all(error.is_absent for error in failed.values()):
        return (
            "The cluster has none of Wardgate's CRDs: is it the right one? They come with the chart, or with "
            "wardgate crds | kubectl apply --server-side -f -"
        )
    worst = next(error for error in failed.values() if not error.is_absent)
    if worst.status == 401:
        return "The API server does not know you (401): log in again, or name another kubeconfig or context."
    if worst.is_forbidden:
        groups = sorted({KINDS[kind].group for kind in failed})
        return (
            "You may list none of Wardgate's kinds in all namespaces (403). Ask for get and list on the kinds of "
            f"{', '.join(groups)}."
        )
    return f"The API server cannot answer: {worst}."


def _not_installed(release: Release) -> str:
    return (
        f'There is no release "{release.name}" in namespace "{release.namespace}": no index in '
        f'"{release.config_namespace}", no Lease, no proxies. Name another one with --release and --namespace, or '
        "install the chart."
    )


def _unreached(error: ApiError, namespace: str) -> str:
    if error.is_forbidden:
        return f"it was not asked, because you may not get pods/proxy in namespace {namespace}"
    if error.is_absent:
        return "its Pod is gone"
    return f"its admin port cannot be reached through the API server ({error.status})"


def _time(text: object) -> datetime | None:
    found = None
    with suppress(ValueError):
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    return found if found is not None and found.tzinfo is not None else None
