"""The API server as whoever writes statuses sees it: objects, their ``/status``, and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.kube.fake_api_server import FakeApiServer, FakeClient, copied
from wardgate.kube.api.client import Manifest
from wardgate.kube.api.errors import KubeError
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.problems import ObjectRef

Status = dict[str, Any]


class ObjectStatuses(FakeClient):
    """``refuse`` holds errors, each raised once, before anything is done. ``before_patch`` is called before that."""

    def __init__(self) -> None:
        super().__init__(FakeApiServer())
        self.before = self._begin
        self.patches: list[tuple[str, Status]] = []
        self.reads: list[str] = []
        self.refuse: list[KubeError] = []
        self.before_patch: Callable[[], None] = lambda: None

    def add(self, ref: ObjectRef, status: Status | None = None, *, uid: str = "uid-1") -> None:
        """Create an object, or another one under its name."""
        self._put(ref, status or {}, uid=uid)

    def overwrite(self, ref: ObjectRef, status: Status) -> int:
        """Let somebody else write a status; the new version."""
        self._put(ref, status, uid=self._found(ref)["metadata"]["uid"])
        return self.api.version

    def version(self, ref: ObjectRef) -> int:
        return int(self._found(ref)["metadata"]["resourceVersion"])

    def status(self, ref: ObjectRef) -> Status:
        held: Status = self._found(ref)["status"]
        return held

    async def merge_patch(self, path: str, patch: Mapping[str, object]) -> Manifest:
        self.patches.append((path, copied(dict(patch))))
        return await super().merge_patch(path, patch)

    def _begin(self, method: str, path: str) -> None:
        if method == "GET":
            self.reads.append(path)
        else:
            self.before_patch()
        if self.refuse:
            raise self.refuse.pop(0)

    def _found(self, ref: ObjectRef) -> Manifest:
        return self.api.get(_path(ref))

    def _put(self, ref: ObjectRef, status: Status, *, uid: str) -> None:
        self.api.put(_path(ref), {"metadata": {}, "status": status}, uid=uid)


def _path(ref: ObjectRef) -> str:
    return resource_of(ref.kind).path(ref.namespace, ref.name)
