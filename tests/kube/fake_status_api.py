"""An API server with nothing but objects and their ``/status``: merge-patches, versions, and whatever goes wrong.

``keep`` is what a foreign CRD or a webhook makes of a status. ``refuse`` holds errors, each raised once, before
anything is done. Time passes only when somebody sleeps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.kube.verdicts import NOON
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.problems import ObjectRef

Status = dict[str, Any]


def api_error(status: int, reason: str = "") -> ApiError:
    return ApiError(f"PATCH: {status}", status=status, reason=reason)


@dataclass
class Time:
    """Both clocks. ``slept`` are the sleeps, in seconds."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1000.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class FakeStatusApi:
    """See the module."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.patches: list[tuple[str, Status]] = []
        self.reads: list[str] = []
        self.refuse: list[KubeError] = []
        self.keep: Callable[[Status], Status] = lambda status: status
        self.before_patch: Callable[[], None] = lambda: None
        self._version = 100

    def add(self, ref: ObjectRef, status: Status | None = None, *, uid: str = "uid-1") -> None:
        """Create an object, or another one under its name."""
        self.objects[_path(ref)] = {"metadata": {"uid": uid, "resourceVersion": self._next()}, "status": status or {}}

    def overwrite(self, ref: ObjectRef, status: Status) -> int:
        """Let somebody else write a status; the new version."""
        found = self.objects[_path(ref)]
        found["status"] = status
        found["metadata"]["resourceVersion"] = self._next()
        return self._version

    def version(self, ref: ObjectRef) -> int:
        return int(self.objects[_path(ref)]["metadata"]["resourceVersion"])

    def status(self, ref: ObjectRef) -> Status:
        held: Status = self.objects[_path(ref)]["status"]
        return held

    async def get(self, path: str) -> dict[str, Any]:
        self.reads.append(path)
        self._maybe_refuse()
        return copy.deepcopy(self._found(path))

    async def merge_patch(self, path: str, patch: Mapping[str, object]) -> dict[str, Any]:
        body: dict[str, Any] = copy.deepcopy(dict(patch))
        self.patches.append((path, body))
        self.before_patch()
        self._maybe_refuse()
        found = self._found(path.removesuffix("/status"))
        for name, value in body.get("metadata", {}).items():
            if found["metadata"][name] != value:
                raise api_error(409, "Conflict")
        status = self.keep(_merged(found["status"], body["status"]))
        if status != found["status"]:
            found["status"] = status
            found["metadata"]["resourceVersion"] = self._next()
        return copy.deepcopy(found)

    def _found(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise api_error(404, "NotFound")
        return self.objects[path]

    def _maybe_refuse(self) -> None:
        if self.refuse:
            raise self.refuse.pop(0)

    def _next(self) -> str:
        self._version += 1
        return str(self._version)


def _path(ref: ObjectRef) -> str:
    return resource_of(ref.kind).path(ref.namespace, ref.name)


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
