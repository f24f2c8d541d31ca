"""The revision that every proxy serves. Proxies are found through the headless Service, and asked at ``/revision``.

Every proxy has a task of its own that asks it, several times a second while a revision is awaited and every few seconds
otherwise; ``proxy_views`` decides what the answers mean. Addresses come from the EndpointSlices of our own namespace,
or from the installation (``--proxy-admin``). Answers are small, bounded JSON; redirects are not followed, and no proxy
of the environment is used.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import aiohttp

from wardgate.kube.api.client import KubeClient, Manifest
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.list_watch import Consumer, Pace, Trouble, follow
from wardgate.kube.api.pacing import Timing
from wardgate.kube.api.resources import ENDPOINT_SLICES
from wardgate.kube.status.proxy_views import (
    ProxyEndpoint,
    ProxyView,
    endpoints_of,
    next_question,
    read_announcement,
)
from wardgate.tasks import spawn

Update: TypeAlias = Callable[[tuple[ProxyEndpoint, ...]], None]

TIMEOUT: Final = 1.0
"""Seconds a proxy has for an answer."""
_AT_ONCE: Final = 32
_MAX_PAGE: Final = 64 * 1024
_PACE: Final = Pace(relist=0.0)
"""There are few slices: a list after every watch costs no more than the watch."""
_REVISION: Final = "/revision"

_log = logging.getLogger(__name__)


class Source(Protocol):
    """A source of the proxies' endpoints."""

    async def follow(self, update: Update) -> None:
        """Report all endpoints now and after every change, for ever."""
        ...


class FixedProxies:
    """Named by the installation (``--proxy-admin URL``). All of them count as ready, for nobody says otherwise."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._endpoints = tuple(
            ProxyEndpoint(url.removeprefix("http://").rstrip("/"), url.rstrip("/"), ready=True) for url in urls
        )

    async def follow(self, update: Update) -> None:
        """Report the endpoints once: they never change."""
        update(self._endpoints)
        await asyncio.Event().wait()


class DiscoveredProxies:
    """The Pods behind the headless Service ``service``, ready or not, as its EndpointSlices say."""

    def __init__(self, client: KubeClient, *, namespace: str, service: str, timing: Timing) -> None:
        self._client = client
        self._collection = Collection(
            ENDPOINT_SLICES, namespace, (("labelSelector", f"kubernetes.io/service-name={service}"),)
        )
        self._timing = timing
        self._slices: dict[str, Manifest] = {}

    async def follow(self, update: Update) -> None:
        """List and watch. Endpoints that are known stay while the API server is away."""
        consumer = Consumer(
            on_list=partial(self._take_over, update),
            on_event=partial(self._take, update),
            on_trouble=self._has_trouble,
        )
        await follow(self._client, self._collection, consumer=consumer, timing=self._timing, pace=_PACE)

    async def _take_over(self, update: Update) -> str:
        slices: dict[str, Manifest] = {}
        version = ""
        async for page in self._client.pages(self._collection.path, self._collection.parameters):
            slices.update((one["metadata"]["name"], one) for one in page.get("items") or ())
            version = str(page["metadata"]["resourceVersion"])
        self._slices = slices
        update(endpoints_of(slices.values()))
        return version

    async def _take(self, update: Update, event: Manifest) -> None:
        if _apply(self._slices, event):
            update(endpoints_of(self._slices.values()))

    def _has_trouble(self, trouble: Trouble) -> None:
        """A missing right is told once; an API server that is away, by others."""
        if not isinstance(trouble.error, KubeError):
            raise trouble.error
        if isinstance(trouble.error, ApiError) and trouble.error.is_forbidden and not trouble.repeated:
            _log.warning(
                "The proxies cannot be found, so no status will say Programmed: %s. Grant get, list and watch on %s.",
                trouble.error,
                f"EndpointSlices in namespace {self._collection.namespace}",
            )


class Proxies:
    """Owned by one event loop. ``changed`` is called whenever a view is another one; ``clock`` is monotonic."""

    def __init__(
        self,
        source: Source,
        *,
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._changed = changed
        self._clock = clock
        self._views: dict[str, ProxyView] = {}
        self._askers: dict[str, asyncio.Task[None]] = {}
        self._hurry: dict[str, asyncio.Event] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._awaited = 0
        self._since = 0.0
        self._session: aiohttp.ClientSession | None = None

    @property
    def views(self) -> tuple[ProxyView, ...]:
        """All proxies, by name."""
        return tuple(self._views[name] for name in sorted(self._views))

    def await_sequence(self, sequence: int) -> None:
        """Ask often from now on, until every proxy serves this sequence."""
        if sequence == self._awaited:
            return
        self._awaited, self._since = sequence, self._clock()
        for hurry in self._hurry.values():
            hurry.set()

    async def run(self) -> None:
        """Find the proxies and ask them, until cancelled."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        try:
            await self._source.follow(self._update)
        finally:
            askers = list(self._askers.values())
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)
            await self._session.close()

    def _update(self, endpoints: tuple[ProxyEndpoint, ...]) -> None:
        """Begin to ask new endpoints, and stop asking those that are gone. A proxy at a new address is another one."""
        current = {one.name: one for one in endpoints}
        for name in [name for name in self._views if name not in current]:
            self._askers.pop(name).cancel()
            del self._views[name], self._hurry[name]
        for name, endpoint in current.items():
            held = self._views.get(name)
            if held is not None and held.endpoint == endpoint:
                continue
            if held is not None and held.endpoint.url == endpoint.url:
                self._views[name] = replace(held, endpoint=endpoint)
            else:
                self._views[name] = ProxyView(endpoint)
            if held is None:
                self._hurry[name] = asyncio.Event()
                self._askers[name] = spawn(self._ask_for_ever(name), name=f"ask proxy {name}")
            self._hurry[name].set()
        self._changed()

    async def _ask_for_ever(self, name: str) -> None:
        hurry = self._hurry[name]
        while True:
            hurry.clear()
            await self._ask(name)
            wait = next_question(self._views[name], awaited=self._awaited, waited=self._clock() - self._since)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await hurry.wait()

    async def _ask(self, name: str) -> None:
        asked = self._views[name]
        async with self._at_once:
            answer = await self._answer(asked.endpoint.url)
        now = self._views[name]
        if now.endpoint.url != asked.endpoint.url:
            return  # it moved meanwhile, and is asked again at once
        self._views[name] = view = replace(answer, endpoint=now.endpoint)
        if _essence(view) != _essence(now):
            self._changed()

    async def _answer(self, url: str) -> ProxyView:
        """The answer as a view of an endpoint that the caller puts in."""
        nowhere = ProxyEndpoint("", url, ready=False)
        assert self._session is not None
        try:
            async with self._session.get(url + _REVISION, allow_redirects=False) as response:
                if response.status != 200:
                    return ProxyView(nowhere, None, f"its admin port answers with status {response.status}")
                announced = read_announcement(json.loads(await _read(response)))
        except TimeoutError:
            return ProxyView(nowhere, None, f"its admin port does not answer within {TIMEOUT:g} s")
        except (aiohttp.ClientError, OSError):
            return ProxyView(nowhere, None, "its admin port cannot be reached")
        except (ValueError, RecursionError):
            announced = None
        return ProxyView(nowhere, announced, "" if announced else "its admin port answers with what no proxy says")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > _MAX_PAGE:
            raise ValueError
    return bytes(data)


def _essence(view: ProxyView) -> tuple[object, ...]:
    """A view without its ages, which change all the time: a difference is worth acting on."""
    said = view.announced
    if said is None:
        return (view.endpoint, view.trouble)
    return (view.endpoint, said.revision, said.sequence, said.reads, said.refused_sequence, said.unserved)


def _apply(slices: dict[str, Manifest], event: Mapping[str, Any]) -> bool:
    """Take an event of a watch; return whether it is about a slice at all."""
    found = event["object"]
    match event["type"]:
        case "ADDED" | "MODIFIED":
            slices[found["metadata"]["name"]] = found
        case "DELETED":
            slices.pop(found["metadata"]["name"], None)
        case _:
            return False
    return True
