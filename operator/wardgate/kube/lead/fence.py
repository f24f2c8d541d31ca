"""Secrets that one writer at a time may write: the index, and the parts of the operator's state.

Rule 1: every write has the version last seen as its precondition, so that whoever writes first after a change of
leaders shuts the other one out.
Rule 2: a refused write is looked at before anything is concluded from it. Its own earlier write whose answer was lost,
an object that someone deleted, one that someone damaged: written over. Another writer's: ``Deposed``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import Manifest

_ATTEMPTS: Final = 3
_REMEMBERED: Final = 256
"""Versions of our own: more than a watch can be behind."""


class Deposed(KubeError):
    """Another replica wrote what only the leader writes: this one must not write until it took over again."""


class FencedSecret:
    """``is_ours`` tells of a version that came unannounced whether it may be written over (rule 2)."""

    def __init__(
        self, client: KubeClient, *, namespace: str, name: str, is_ours: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        self._client = client
        self._collection = SECRETS.path(namespace)
        self._path = SECRETS.path(namespace, name)
        self._name = name
        self._is_ours = is_ours
        self._written: deque[str] = deque(maxlen=_REMEMBERED)
        self.version: str | None = None
        """The resourceVersion last seen; None if there was no such Secret."""

    def wrote(self, version: str) -> bool:
        """Whether this is one of the versions we wrote lately."""
        return version in self._written

    async def read(self) -> Manifest | None:
        """Read the Secret, and take its version as seen. Raises ``KubeError``."""
        try:
            found = await self._client.get(self._path)
        except ApiError as error:
            if not error.is_absent:
                raise
            self.version = None
            return None
        version = version_of(found)
        if version != self.version:
            # After a backup was restored, a version of ours may be given to someone else's write.
            self._written.clear()
        self.version = version
        return found

    async def write(self, make: Callable[[str | None], Manifest]) -> None:
        """Write what ``make`` gives for the version to be replaced. Raises ``Deposed`` and other ``KubeError``."""
        for attempt in count(1):
            try:
                await self._put(make(self.version))
            except ApiError as error:
                if attempt == _ATTEMPTS or not (error.is_conflict or error.is_absent):
                    raise
            else:
                return
            found = await self.read()
            if found is not None and not self._is_ours(found):
                msg = f"Secret {self._name} was written by another operator."
                raise Deposed(msg)

    async def _put(self, manifest: Manifest) -> None:
        if self.version is None:
            answer = await self._client.create(self._collection, manifest)
        else:
            answer = await self._client.replace(self._path, manifest)
        self.version = version_of(answer)
        self._written.append(self.version)


def version_of(secret: Mapping[str, Any]) -> str:
    """The resourceVersion of what the API server sent."""
    version = secret["metadata"]["resourceVersion"]
    assert isinstance(version, str)
    return version
