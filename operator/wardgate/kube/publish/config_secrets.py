"""The Secrets of one release in the config namespace: read and written whole, listed and watched as metadata."""

from __future__ import annotations

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import RELEASE_LABEL, Manifest


class ConfigSecrets:
    """Every method raises ``KubeError``. ``metadata`` is all of them, for those who list and watch."""

    def __init__(self, client: KubeClient, *, release: str, namespace: str) -> None:
        self.release = release
        self.namespace = namespace
        self.client = client
        self.metadata = Collection(
            SECRETS, namespace, (("labelSelector", f"{RELEASE_LABEL}={release}"),), metadata_only=True
        )

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
        return await self.client.create(self.metadata.path, manifest)

    async def delete(self, name: str) -> None:
        """Delete one; one that is gone is no error."""
        await self.client.delete(SECRETS.path(self.namespace, name))

    async def list(self) -> tuple[list[Manifest], str]:
        """The metadata of all of them, consistently, and the version to watch from."""
        found: list[Manifest] = []
        version = ""
        async for page in self.client.pages(self.metadata.path, self.metadata.parameters, metadata_only=True):
            found += [item["metadata"] for item in page["items"] or ()]
            version = page["metadata"]["resourceVersion"]
        return found, version
