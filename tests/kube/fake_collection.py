"""A client with one collection behind it that answers as a test says: lists, errors, and watches fed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.kube.fake_api_server import no_cluster
from wardgate.kube.api.client import KubeClient, Manifest, Parameters
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.store import Store


class FakeCollection(KubeClient):
    """``items`` at ``version``. A list raises ``list_refusal`` instead, a watch ``watch_refusal``, both ``refusal``.

    ``on_list`` is called before a list is answered. ``next_news`` is told to the next watch as soon as it is opened.
    """

    def __init__(self, *items: Manifest, version: int = 10) -> None:
        super().__init__(no_cluster, user_agent="tests")
        self.items = list(items)
        self.version = version
        self.refusal: Exception | None = None
        self.list_refusal: Exception | None = None
        self.watch_refusal: Exception | None = None
        self.lists: list[Parameters] = []
        self.watches: list[Parameters] = []
        self.silences: list[float] = []
        self.hold_lists: asyncio.Event | None = None
        self.on_list: Callable[[], None] = lambda: None
        self.next_news: list[Manifest | Exception | None] = []
        self.paths: list[str] = []
        self._open: list[asyncio.Queue[Manifest | Exception | None]] = []

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._open)

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        version, items = self._listed(path, parameters)
        if self.hold_lists is not None:
            await self.hold_lists.wait()
        for start in range(0, max(1, len(items)), 2):
            yield {"metadata": {"resourceVersion": version}, "items": items[start : start + 2]}

    async def probe(self, path: str, parameters: Parameters | None = None, *, limit: float) -> Manifest:
        version, items = self._listed(path, parameters)
        return {"metadata": {"resourceVersion": version}, "items": items}

    @asynccontextmanager
    async def watch(
        self, path: str, parameters: Parameters, *, silence: float, metadata_only: bool = False
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        self.paths.append(path)
        self.watches.append({**parameters, "resourceVersion": int(parameters["resourceVersion"])})
        self.silences.append(silence)
        raise_any(self.watch_refusal or self.refusal)
        news: asyncio.Queue[Manifest | Exception | None] = asyncio.Queue()
        self._open.append(news)
        for one in self.next_news:
            news.put_nowait(one)
        self.next_news = []
        try:
            yield _events(news)
        finally:
            self._open.remove(news)

    def tell(self, *news: Manifest | Exception | None) -> None:
        """Put events on every open watch, what breaks it, or (None) its end in order."""
        for watch in self._open:
            for one in news:
                watch.put_nowait(one)

    def end(self) -> None:
        """End every open watch in order."""
        self.tell(None)

    def _listed(self, path: str, parameters: Parameters | None) -> tuple[str, list[Manifest]]:
        self.paths.append(path)
        self.lists.append(parameters or {})
        self.on_list()
        raise_any(self.list_refusal or self.refusal)
        return str(self.version), list(self.items)


async def _events(news: asyncio.Queue[Manifest | Exception | None]) -> AsyncIterator[Manifest]:
    while (one := await news.get()) is not None:
        raise_any(one if isinstance(one, Exception) else None)
        assert isinstance(one, dict)
        yield one


def raise_any(error: Exception | None) -> None:
    """Raise it, if there is one."""
    if error is not None:
        raise error


@dataclass
class RecordingSink:
    """What it was told, in words; a store holds it too. ``at`` is the position, which stands still."""

    told: list[str] = field(default_factory=list)
    store: Store = field(default_factory=Store)
    at: int = -1
    fault: Exception | None = None

    def position(self, kind: str, scope: str) -> int:
        return self.at

    def held(self, kind: str, scope: str) -> Mapping[ObjectRef, StoredObject]:
        return self.store.held(kind, scope)

    def replaced(self, kind: str, objects: Sequence[StoredObject], *, as_of: int, at_least: int, scope: str) -> bool:
        names = ",".join(obj.ref.name for obj in objects)
        self._note(f"replaced {kind} {scope}[{names}] as of {as_of}, at least {at_least}")
        return self.store.replace(kind, objects, as_of=as_of, at_least=at_least, scope=scope)

    def changed(self, obj: StoredObject, *, scope: str) -> None:
        self._note(f"changed {obj.ref.name} to {obj.version}")
        self.store.upsert(obj, scope=scope)

    def removed(self, ref: ObjectRef, *, version: int, scope: str) -> None:
        self._note(f"removed {ref.name} at {version}")
        self.store.remove(ref, version=version, scope=scope)

    def absent(self, kind: str, *, absent: bool) -> None:
        if absent:
            self._note(f"absent {kind}")

    def unlisted(self, kind: str, scope: str, *, unlisted: bool) -> None:
        self._note(f"{'unlisted' if unlisted else 'listed'} {kind} {scope}")

    def dropped(self, kind: str, scope: str) -> None:
        self._note(f"dropped {kind} {scope}")

    def take(self) -> list[str]:
        """What it was told since the last time."""
        told, self.told = self.told, []
        return told

    def _note(self, what: str) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.told.append(what)


def asked(parameters: Parameters) -> dict[str, Any]:
    """Parameters without those that every watch has."""
    return {name: value for name, value in parameters.items() if name != "timeoutSeconds"}
