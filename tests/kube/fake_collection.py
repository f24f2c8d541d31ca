"""A client with one collection behind it that answers as a test says: lists, errors, and watches fed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from wardgate.kube.api.access import Access
from wardgate.kube.api.client import KubeClient, Manifest, Parameters
from wardgate.kube.api.errors import ApiError
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject


class FakeCollection(KubeClient):
    """``items`` at ``version``; ``refusal`` is raised instead of answering, ``watch_refusal`` by watches only."""

    def __init__(self, *items: Manifest, version: int = 10) -> None:
        super().__init__(_no_cluster, user_agent="tests")
        self.items = list(items)
        self.version = version
        self.refusal: Exception | None = None
        self.watch_refusal: Exception | None = None
        self.lists: list[Parameters] = []
        self.watches: list[Parameters] = []
        self.silences: list[float] = []
        self.hold_lists: asyncio.Event | None = None
        self._news: asyncio.Queue[Manifest | Exception | None] = asyncio.Queue()

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        self.lists.append(parameters or {})
        self._answer(self.refusal)
        version, items = str(self.version), list(self.items)
        if self.hold_lists is not None:
            await self.hold_lists.wait()
        for start in range(0, max(1, len(items)), 2):
            yield {"metadata": {"resourceVersion": version}, "items": items[start : start + 2]}

    @asynccontextmanager
    async def watch(
        self, path: str, parameters: Parameters, *, silence: float, metadata_only: bool = False
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        self.watches.append({**parameters, "resourceVersion": int(parameters["resourceVersion"])})
        self.silences.append(silence)
        self._answer(self.watch_refusal or self.refusal)
        yield self._events()

    def tell(self, *news: Manifest | Exception) -> None:
        """Put events, or what breaks it, on the open watch."""
        for one in news:
            self._news.put_nowait(one)

    def end(self) -> None:
        """End the open watch in order."""
        self._news.put_nowait(None)

    async def _events(self) -> AsyncIterator[Manifest]:
        while (one := await self._news.get()) is not None:
            self._answer(one if isinstance(one, Exception) else None)
            assert isinstance(one, dict)
            yield one

    def _answer(self, refusal: Exception | None) -> None:
        if refusal is not None:
            raise refusal


@dataclass
class RecordingSink:
    """What it was told, in words."""

    told: list[str] = field(default_factory=list)
    at: int = -1
    fault: Exception | None = None

    def position(self, kind: str, scope: str) -> int:
        return self.at

    def replaced(self, kind: str, objects: Sequence[StoredObject], *, as_of: int, at_least: int, scope: str) -> None:
        names = ",".join(obj.ref.name for obj in objects)
        self._note(f"replaced {kind} {scope}[{names}] as of {as_of}, at least {at_least}")

    def changed(self, obj: StoredObject, *, scope: str) -> None:
        self._note(f"changed {obj.ref.name} to {obj.version}")

    def removed(self, ref: ObjectRef, *, version: int, scope: str) -> None:
        self._note(f"removed {ref.name} at {version}")

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


def refused(status: int, reason: str = "") -> ApiError:
    """What the API server answers."""
    return ApiError(f"{status} {reason}", status=status, reason=reason)


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(30):
        await asyncio.sleep(0)


async def _no_cluster() -> Access:
    raise AssertionError


def asked(parameters: Parameters) -> dict[str, Any]:
    """Parameters without those that every watch has."""
    return {name: value for name, value in parameters.items() if name != "timeoutSeconds"}
