"""The Secrets of a config as a config source finds them, for faults that a real API server cannot be made to have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.kube import published
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection
from wardgate.kube.api.client import Parameters
from wardgate.kube.delivery.index import Index, Manifest
from wardgate.wire.bundle import Bundle

COLLECTION = "/api/v1/namespaces/wardgate-config/secrets"


class PublishedSecrets(FakeCollection):
    """Secrets by name; the index alone is listed and watched. ``broken(name)`` may return an error to raise."""

    def __init__(self) -> None:
        super().__init__(version=100)
        self.secrets: dict[str, Manifest] = {}
        self.gets: list[str] = []
        self.broken: Callable[[str], Exception | None] = lambda _: None
        self.slow = False
        self.at_once = 0
        self.most_at_once = 0
        self.release = asyncio.Event()

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
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
            raise refused(404, "NotFound")
        return self.secrets[name]

    async def probe(self, path: str, parameters: Parameters | None = None, *, limit: float) -> Manifest:
        assert limit < 45.0
        assert path == COLLECTION
        assert parameters == {"fieldSelector": f"metadata.name={published.INDEX}"}
        return await super().probe(path, parameters, limit=limit)

    # What a test does to it.

    def put_index(self, secret: Manifest) -> None:
        self.version += 1
        self.secrets[published.INDEX] = secret
        self.items = [secret]
        self.tell({"type": "MODIFIED", "object": secret})

    def delete_index(self) -> None:
        self.version += 1
        self.items = []
        self.tell({"type": "DELETED", "object": self.secrets.pop(published.INDEX)})

    def publish(self, bundle: Bundle, *, sequence: int = 1, verified_at: str = "2027-01-15T08:00:00Z") -> Index:
        """Write what is not there yet, then the index."""
        index = published.index_of(bundle, sequence=sequence, verified_at=verified_at)
        self.secrets.update(published.shards_of(bundle, index))
        self.put_index(published.index_secret(index))
        return index
