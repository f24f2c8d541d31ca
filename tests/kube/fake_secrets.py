"""The API server as far as a config source knows it, for faults that a real one cannot be made to have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from tests.kube import published
from wardgate.kube.api.client import KubeClient, Parameters
from wardgate.kube.api.errors import ApiError
from wardgate.kube.delivery.index import Index, Manifest
from wardgate.wire.bundle import Bundle

COLLECTION = "/api/v1/namespaces/wardgate-config/secrets"


class FakeSecrets:
    """Secrets by name. ``broken(path)`` may return an error to raise; ``watching`` are the open watches."""

    def __init__(self) -> None:
        self.secrets: dict[str, Manifest] = {}
        self.gets: list[str] = []
        self.lists = 0
        self.silences: list[float] = []
        self.watches: list[dict[str, str | int]] = []
        self.broken: Callable[[str], Exception | None] = lambda _: None
        self.broken_list: Callable[[], Exception | None] = lambda: None
        self.broken_watch: Callable[[], Exception | None] = lambda: None
        self.slow = False
        self.at_once = 0
        self.most_at_once = 0
        self.release = asyncio.Event()
        self._open: list[asyncio.Queue[Manifest | Exception | None]] = []
        self._version = 100

    @property
    def client(self) -> KubeClient:
        return cast("KubeClient", self)

    @property
    def watching(self) -> int:
        return len(self._open)

    async def get(self, path: str) -> Manifest:
        name = path.removeprefix(COLLECTION + "/")
        self.gets.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.release.wait() if self.slow else asyncio.sleep(0))
        finally:
            self.at_once -= 1
        error = self.broken(name)
        if error is not None:
            raise error
        if name not in self.secrets:
            msg = f"GET {path}: 404"
            raise ApiError(msg, status=404, reason="NotFound")
        return self.secrets[name]

    async def probe(self, path: str, parameters: Parameters, *, limit: float) -> Manifest:
        assert limit < 45.0
        assert path == COLLECTION
        assert parameters == {"fieldSelector": f"metadata.name={published.INDEX}"}
        self.lists += 1
        error = self.broken_list()
        if error is not None:
            raise error
        items = [self.secrets[published.INDEX]] if published.INDEX in self.secrets else []
        return {"items": items, "metadata": {"resourceVersion": str(self._version)}}

    @asynccontextmanager
    async def watch(
        self, path: str, parameters: Parameters, *, silence: float, metadata_only: bool = False
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        assert path == COLLECTION
        self.silences.append(silence)
        self.watches.append(dict(parameters))
        error = self.broken_watch()
        if error is not None:
            raise error
        events: asyncio.Queue[Manifest | Exception | None] = asyncio.Queue()
        self._open.append(events)
        try:
            yield self._events(events)
        finally:
            self._open.remove(events)

    @staticmethod
    async def _events(events: asyncio.Queue[Manifest | Exception | None]) -> AsyncIterator[Manifest]:
        while (event := await events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    # What a test does to it.

    def tell(self, event: Manifest | Exception | None) -> None:
        """Give every watch an event, an error, or (None) its end."""
        for events in self._open:
            events.put_nowait(event)

    def put_index(self, secret: Manifest) -> None:
        self._version += 1
        self.secrets[published.INDEX] = secret
        self.tell({"type": "MODIFIED", "object": secret})

    def delete_index(self) -> None:
        self._version += 1
        self.tell({"type": "DELETED", "object": self.secrets.pop(published.INDEX)})

    def publish(self, bundle: Bundle, *, sequence: int = 1, verified_at: str = "2027-01-15T08:00:00Z") -> Index:
        """Write what is not there yet, then the index."""
        index = published.index_of(bundle, sequence=sequence, verified_at=verified_at)
        self.secrets.update(published.shards_of(bundle, index))
        self.put_index(published.index_secret(index))
        return index
