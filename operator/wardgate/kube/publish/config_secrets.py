"""The Secrets of one release in the config namespace: read and written whole, listed and watched as metadata."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import RELEASE_LABEL, Manifest

_TIMEOUT: Final = (240, 360)
"""Seconds after which a watch ends in good order; drawn anew each time, so that replicas do not return together."""
_SILENCE: Final = 90.0


class ConfigSecrets:
    """Every method raises ``KubeError``."""

    def __init__(self, client: KubeClient, *, release: str, namespace: str) -> None:
        self.release = release
        self.namespace = namespace
        self.client = client
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
        selected = {"labelSelector": self._selector}
        async for page in self.client.pages(self._collection, selected, metadata_only=True):
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
        return self.client.watch(self._collection, parameters, silence=_SILENCE, metadata_only=True)
