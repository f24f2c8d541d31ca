"""Lists and watches that carry metadata alone, so that no token is transferred to be thrown away.

Clients of their own beside the one whose credentials they borrow: they ask for another form of every answer, and the
API server has one form for lists and one for the events of a watch. Nothing is written with them.
"""

from __future__ import annotations

from typing import Final

from wardgate.kube.client import KubeClient

LISTS: Final = "PartialObjectMetadataList"
WATCHES: Final = "PartialObjectMetadata"


class MetadataClient(KubeClient):
    """For ``LISTS`` or for ``WATCHES``. ``client`` stays its owner's; this one is closed on its own."""

    def __init__(self, client: KubeClient, form: str, *, user_agent: str = "wardgate") -> None:
        super().__init__(client.connection, user_agent=user_agent)
        self._accept = f"application/json;as={form};g=meta.k8s.io;v=v1"

    async def _headers(self) -> dict[str, str]:
        return {**await super()._headers(), "Accept": self._accept}
