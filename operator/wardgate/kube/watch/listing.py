"""Consistent lists, page by page, and the sentences that tell people why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError, KubeError, UnreadableObject
from wardgate.kube.api.pacing import Timing
from wardgate.kube.api.resources import Resource
from wardgate.kube.watch.objects import resource_version, stored_object
from wardgate.snapshot import StoredObject

Read: TypeAlias = Callable[[Iterable[Mapping[str, Any]]], list[StoredObject]]

REPEAT_REFUSED: Final = 15.0
"""Seconds after which a kind that is absent, or that we may not list, is asked for again; sooner at first. More than
after a failure: an installation may lack the right to hundreds of named Secrets, for as long as it runs."""
MEANT: Final = 30.0
"""Seconds of refusals after which they are believed: an API server that has just started refuses everybody."""


@dataclass(frozen=True, slots=True)
class ListedObjects:
    """``objects`` are all there were at version ``as_of``."""

    objects: list[StoredObject]
    as_of: int


async def list_all(client: KubeClient, collection: Collection, *, read: Read | None = None) -> ListedObjects:
    """Read a whole collection as it is now. No more than one page is held as it was sent. Raises ``KubeError``."""
    objects: list[StoredObject] = []
    as_of = -1
    async for page in client.pages(collection.path, collection.parameters):
        # The pages that follow repeat the version of the first.
        if as_of < 0:
            as_of = version_of(page)
        objects += (read or reader(collection.resource.kind))(page["items"])
    return ListedObjects(objects, as_of)


async def is_going_away(client: KubeClient, resource: Resource) -> bool:
    """Whether the kind's CRD is being deleted. Raises ``KubeError``.

    The API server deletes the objects first; while it does, and before it begins, it lets nobody create any, and says
    so where it tells what can be done with a kind. Where we may not ask that, the answer is no.
    """
    try:
        found = await client.get(f"/apis/{resource.api_version}")
    except ApiError as error:
        if error.is_forbidden:
            return False
        if error.is_absent:
            return True
        raise
    served = (one for one in found.get("resources") or () if one.get("name") == resource.plural)
    return not any("create" in (one.get("verbs") or ()) for one in served)


class Refusal:
    """The time for which the server has been refusing us."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._since: float | None = None

    @property
    def is_meant(self) -> bool:
        """Whether it has lasted too long for an API server that only has not read its roles yet."""
        return self._since is not None and self._timing.clock() - self._since >= MEANT

    @property
    def is_noted(self) -> bool:
        """Whether the last answer was a refusal."""
        return self._since is not None

    def note(self, error: KubeError) -> None:
        """Take the failure of a request: only a refusal begins the time."""
        if isinstance(error, ApiError) and error.is_forbidden and self._since is None:
            self._since = self._timing.clock()

    def is_over(self) -> None:
        """The request was answered."""
        self._since = None


class Listed(Protocol):
    """Something that can be listed once more."""

    @property
    def refusal(self) -> Refusal:
        """The refusals of its lists, if any."""
        ...

    @property
    def listed_at(self) -> float | None:
        """The time of the last list; None: never, so that nothing is held which may be out of date."""
        ...

    async def list_again(self) -> None:
        """List it once more. Raises ``KubeError``."""
        ...


async def list_all_again(them: Iterable[Listed]) -> None:
    """List all of them at once. Raises the first ``KubeError``.

    A refusal is no failure if it is meant, or if there never was a list.
    """
    listed = tuple(them)
    outcomes = await asyncio.gather(*(one.list_again() for one in listed), return_exceptions=True)
    for one, outcome in zip(listed, outcomes, strict=True):
        if isinstance(outcome, KubeError):
            one.refusal.note(outcome)
            is_refused = isinstance(outcome, ApiError) and outcome.is_forbidden
            if is_refused and (one.refusal.is_meant or one.listed_at is None):
                continue
        if isinstance(outcome, BaseException):
            raise outcome


def reader(kind: str) -> Read:
    """Read the items of a page one by one."""
    return lambda items: [stored_object(kind, item) for item in items]


def version_of(page: Mapping[str, Any]) -> int:
    """The version of a list. Raises ``UnreadableObject``."""
    try:
        return resource_version(page)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"The API server sent a list without a version ({type(error).__name__})."
        raise UnreadableObject(msg) from None


def explain_absence(collection: Collection) -> str:
    """Say in a sentence what it means that there is no such kind, and what to do."""
    return (
        f"The API server does not know the kind {collection.resource.kind}: it counts as empty. Install its CRD "
        f"({collection.resource.plural}.{collection.resource.group})."
    )


def explain(collection: Collection, error: KubeError) -> str:
    """Say in a sentence why a list failed, what that means, and what to do."""
    if isinstance(error, ApiError) and error.is_absent:
        return explain_absence(collection)
    if isinstance(error, ApiError) and error.is_forbidden:
        return (
            f"The API server does not let the operator list {collection} ({error}). Allow its ServiceAccount to list "
            f"and watch {collection.resource.plural} there."
        )
    return f"Listing {collection} failed ({error}). What was last seen stays in force."
