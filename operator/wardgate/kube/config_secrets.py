"""The Secrets of one release in the config namespace: read and written whole, listed and watched as metadata."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from wardgate.kube.client import KubeClient
from wardgate.kube.errors import ApiError
from wardgate.kube.index import RELEASE_LABEL, Manifest
from wardgate.kube.metadata import LISTS, WATCHES, MetadataClient
from wardgate.kube.resources import SECRETS

_TIMEOUT: Final = (240, 360)
"""Seconds after which a watch ends in good order; drawn anew each time, so that replicas do not return together."""
_SILENCE: Final = 90.0


class ConfigSecrets:
    """``metadata`` is for tests; every method raises ``KubeError``."""

    def __init__(self, client: KubeClient, *, release: str, namespace: str, metadata: KubeClient | None = None) -> None:
        self.release = release
        self.namespace = namespace
        self.client = client
        self._lists = metadata or MetadataClient(client, LISTS)
        self._watches = metadata or MetadataClient(client, WATCHES)
        self._collection = SECRETS.path(namespace)
        self._selector = f"{RELEASE_LABEL}={release}"

    async def read(self, name: str) -> Manifest | None:
        """One Secret, if it exists."""
        try:
            return await self.client.get(SECRETS.path(self.namespace, name))
        except ApiError as error:
            if not error.is_absent:
                raise
            return None

    async def create(self, manifest: Manifest) -> Manifest:
        """Create one."""
        return await self.client.create(self._collection, manifest)

    async def delete(self, name: str) -> None:
        """Delete one; one that is gone is no error."""
        await self.client.delete(SECRETS.path(self.namespace, name))

    async def list(self) -> tuple[list[Manifest], str]:
        """The metadata of all of them, consistently, and the version to watch from."""
        found: list[Manifest] = []
        version = ""
        async for page in self._lists.pages(self._collection, {"labelSelector": self._selector}):
            found += [item["metadata"] for item in page["items"] or ()]
            version = page["metadata"]["resourceVersion"]
        return found, version

    def watch(self, version: str) -> AbstractAsyncContextManager[AsyncIterator[Manifest]]:
        """What happens to them after ``version``, as metadata."""
        seconds = random.randint(*_TIMEOUT)  # noqa: S311 - spread, not secrecy
        parameters: dict[str, str | int] = {
            "labelSelector": self._selector,
            "resourceVersion": version,
            "timeoutSeconds": seconds,
        }
        return self._watches.watch(self._collection, parameters, silence=_SILENCE)

    async def close(self) -> None:
        """Close what was opened here; the client stays its owner's."""
        for borrowing in (self._lists, self._watches):
            await borrowing.close()
