"""An API server in memory, for faults at an exact request: objects with versions, preconditions, statuses and watches.

What it must have in common with a real one (versions that grow with every change, 404 and 409, nothing written by an
update that changes nothing, metadata only on demand) is shown to hold by the tests that run the same code there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

from wardgate.kube.api.access import Access
from wardgate.kube.api.client import KubeClient, Manifest, Parameters
from wardgate.kube.api.errors import ApiError, ConnectionFailed

Hook: TypeAlias = Callable[[str, str], None]
Copied = TypeVar("Copied")


def nothing(method: str, path: str) -> None:
    """No fault."""


class FakeApiServer:
    """Objects by path. Every change is remembered, for watches."""

    def __init__(self) -> None:
        self.version = 100
        self.objects: dict[str, Manifest] = {}
        self.events: list[tuple[int, str, str, Manifest]] = []
        self.oldest = 0
        self.uids = 0
        self.keep: Callable[[Any], Any] = lambda status: status
        """What a foreign CRD or a webhook makes of a status."""

    def names(self, part: str = "") -> set[str]:
        """The names of all objects whose name holds ``part``."""
        return {path.rpartition("/")[2] for path in self.objects if part in path.rpartition("/")[2]}

    def get(self, path: str) -> Manifest:
        """One object."""
        if path not in self.objects:
            raise refused(404, "NotFound")
        return copied(self.objects[path])

    def create(self, path: str, manifest: Mapping[str, Any]) -> Manifest:
        """POST to a collection."""
        whole = f"{path}/{manifest['metadata']['name']}"
        if whole in self.objects:
            raise refused(409, "AlreadyExists")
        self.uids += 1
        return self._store("ADDED", whole, manifest, uid=f"uid-{self.uids}")

    def put(self, path: str, manifest: Mapping[str, Any], *, uid: str) -> Manifest:
        """Have an object whatever was there before, as if somebody else had written it."""
        return self._store("MODIFIED" if path in self.objects else "ADDED", path, manifest, uid=uid)

    def replace(self, path: str, manifest: Mapping[str, Any]) -> Manifest:
        """PUT."""
        held = self.get(path)
        if held.get("immutable") and held["data"] != manifest["data"]:
            raise refused(422, "Invalid")
        expected = manifest["metadata"].get("resourceVersion")
        if expected is not None and expected != held["metadata"]["resourceVersion"]:
            raise refused(409, "Conflict")
        uid = held["metadata"]["uid"]
        if as_stored(manifest, uid=uid, version=held["metadata"]["resourceVersion"]) == held:
            return held
        return self._store("MODIFIED", path, manifest, uid=uid)

    def patch_status(self, path: str, patch: Mapping[str, Any]) -> Manifest:
        """PATCH of ``/status`` with a merge patch, whose ``metadata`` is a precondition."""
        changed = self.get(path)
        for name, value in patch.get("metadata", {}).items():
            if changed["metadata"][name] != value:
                raise refused(409, "Conflict")
        changed["status"] = self.keep(merged(changed.get("status"), patch["status"]))
        if changed == self.objects[path]:
            return changed
        return self._store("MODIFIED", path, changed, uid=changed["metadata"]["uid"])

    def delete(self, path: str) -> None:
        """DELETE."""
        gone = self.get(path)
        del self.objects[path]
        self._happened("DELETED", path, gone)

    def list(self, path: str, parameters: Parameters) -> list[Manifest]:
        """GET of a collection."""
        found = [one for key, one in sorted(self.objects.items()) if key.rpartition("/")[0] == path]
        return [copied(one) for one in found if selected(one, str(parameters.get("labelSelector", "")))]

    def snapshot(self) -> dict[str, Manifest]:
        """A backup."""
        return copied(self.objects)

    def restore(self, backup: dict[str, Manifest], *, version: int) -> None:
        """Go back: watches end, and versions are given out again."""
        self.objects, self.version, self.oldest = copied(backup), version, version
        self.events.clear()

    def _store(self, kind: str, path: str, manifest: Mapping[str, Any], *, uid: str) -> Manifest:
        self.objects[path] = as_stored(manifest, uid=uid, version=str(self.version + 1))
        self._happened(kind, path, self.objects[path])
        return copied(self.objects[path])

    def _happened(self, kind: str, path: str, manifest: Manifest) -> None:
        self.version += 1
        seen = copied(manifest)
        seen["metadata"]["resourceVersion"] = str(self.version)
        self.events.append((self.version, kind, path, seen))


class FakeClient(KubeClient):
    """One client's view. ``before`` and ``after`` are called around every request and may raise."""

    def __init__(self, server: FakeApiServer) -> None:
        super().__init__(no_cluster, user_agent="tests")
        self.api = server
        self.before: Hook = nothing
        self.after: Hook = nothing
        self.requests: list[str] = []

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
        return await self._do("GET", path, lambda: self.api.get(path))

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        found = await self._do("LIST", path, lambda: self.api.list(path, parameters or {}))
        version = str(self.api.version)
        for start in range(0, max(len(found), 1), 2):
            items = [_seen(one, metadata_only=metadata_only) for one in found[start : start + 2]]
            yield {"metadata": {"resourceVersion": version}, "items": items}

    async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        return await self._do("POST", path, lambda: self.api.create(path, manifest))

    async def replace(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        return await self._do("PUT", path, lambda: self.api.replace(path, manifest))

    async def merge_patch(self, path: str, patch: Mapping[str, object]) -> Manifest:
        return await self._do("PATCH", path, lambda: self.api.patch_status(path.removesuffix("/status"), patch))

    async def delete(self, path: str) -> None:
        def delete() -> None:
            if path in self.api.objects:
                self.api.delete(path)

        await self._do("DELETE", path, delete)

    @asynccontextmanager
    async def watch(
        self, path: str, parameters: Parameters, *, silence: float, metadata_only: bool = False
    ) -> AsyncIterator[AsyncIterator[Manifest]]:
        await self._do("WATCH", path, lambda: None)
        yield self._events(path, parameters, metadata_only=metadata_only)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _events(self, path: str, parameters: Parameters, *, metadata_only: bool) -> AsyncIterator[Manifest]:
        """What happened since, then an end in good order."""
        since = int(parameters["resourceVersion"])
        if since < self.api.oldest or since > self.api.version:
            raise refused(410, "Expired")
        for version, kind, where, manifest in list(self.api.events):
            wanted = selected(manifest, str(parameters.get("labelSelector", "")))
            if version > since and where.rpartition("/")[0] == path and wanted:
                yield {"type": kind, "object": _seen(manifest, metadata_only=metadata_only)}
        yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.api.version)}}}

    async def _do(self, method: str, path: str, act: Callable[[], Copied]) -> Copied:
        await asyncio.sleep(0)
        self.requests.append(f"{method} {path.rpartition('/')[2]}")
        self.before(method, path)
        answer = act()
        self.after(method, path)
        await asyncio.sleep(0)
        return answer


def _seen(manifest: Manifest, *, metadata_only: bool) -> Manifest:
    return {"metadata": copied(manifest["metadata"])} if metadata_only else copied(manifest)


class Killed(Exception):
    """The operator's process ended at this very request."""


def kill_at(number: int, *, answered: bool) -> tuple[Hook, Hook]:
    """Hooks that end the operator at its request of that number, before it or after it was carried out."""
    seen = 0

    def count(method: str, path: str) -> None:
        nonlocal seen
        seen += 1
        if seen > number or (seen == number and not answered):
            raise Killed

    def after(method: str, path: str) -> None:
        if seen >= number:
            raise Killed

    return count, after


def lose_answer(method: str, name_part: str) -> Hook:
    """An ``after`` hook that breaks the connection once, when such a request was carried out."""
    lost = False

    def hook(found: str, path: str) -> None:
        nonlocal lost
        if found == method and name_part in path and not lost:
            lost = True
            raise ConnectionFailed(f"{method} {path}: the connection broke")

    return hook


def refused(status: int, reason: str = "") -> ApiError:
    """What the API server answers."""
    return ApiError(f"{status} {reason}", status=status, reason=reason)


def as_stored(manifest: Mapping[str, Any], *, uid: str, version: str) -> Manifest:
    """A manifest as the server keeps it."""
    stored = copied(dict(manifest))
    stored["metadata"] |= {"uid": uid, "resourceVersion": version}
    return stored


def selected(manifest: Manifest, selector: str) -> bool:
    """Whether a label selector of equalities matches."""
    labels = manifest["metadata"].get("labels") or {}
    pairs = (term.split("=") for term in selector.split(",") if term)
    return all(labels.get(name) == value for name, value in pairs)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def copied(value: Copied) -> Copied:
    """A deep copy, as over a network."""
    return cast("Copied", json.loads(json.dumps(value)))


async def no_cluster() -> Access:
    """There is no cluster behind this client."""
    raise AssertionError
