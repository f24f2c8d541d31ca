"""Consistent lists, page by page, and what to tell people when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from wardgate.kube.client import KubeClient
from wardgate.kube.errors import ApiError, KubeError, UnreadableObject
from wardgate.kube.objects import resource_version, stored_object
from wardgate.kube.pacing import Backoff
from wardgate.kube.resources import Resource
from wardgate.snapshot import StoredObject

Read: TypeAlias = Callable[[Iterable[Mapping[str, Any]]], list[StoredObject]]

REPEAT_REFUSED: Final = 15.0
"""Seconds after which a kind that is absent, or that we may not list, is asked for again."""
_QUICK: Final = 2.0


@dataclass(frozen=True, slots=True)
class Collection:
    """A kind's objects in one namespace or in all, perhaps only those that ``selectors`` (of the API) match."""

    resource: Resource
    namespace: str | None = None
    selectors: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """Where it is."""
        return self.resource.path(self.namespace)

    @property
    def parameters(self) -> dict[str, str | int]:
        """What to ask for there."""
        return dict(self.selectors)

    def __str__(self) -> str:
        chosen = " and ".join(value for _, value in self.selectors)
        place = "all namespaces" if self.namespace is None else f"namespace {self.namespace}"
        return f"{self.resource.plural}{f' ({chosen})' if chosen else ''} in {place}"


@dataclass(frozen=True, slots=True)
class Listing:
    """``objects`` are all there were at version ``as_of``."""

    objects: list[StoredObject]
    as_of: int


async def list_all(client: KubeClient, collection: Collection, read: Read | None = None) -> Listing:
    """Read a whole collection as it is now. No more than one page is held as it was sent. Raises ``KubeError``."""
    objects: list[StoredObject] = []
    as_of = -1
    async for page in client.pages(collection.path, collection.parameters):
        if as_of < 0:
            as_of = version_of(page)
        objects += (read or reader(collection.resource.kind))(page["items"])
    return Listing(objects, as_of)


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


class Listed(Protocol):
    """Something that can be listed once more."""

    async def list_again(self) -> None:
        """Raises ``KubeError``."""
        ...


async def list_all_again(them: Iterable[Listed]) -> None:
    """List all of them at once. Raises the first ``KubeError``; that we may not list something is no failure here."""
    for outcome in await asyncio.gather(*(one.list_again() for one in them), return_exceptions=True):
        if isinstance(outcome, ApiError) and outcome.is_forbidden:
            continue
        if isinstance(outcome, BaseException):
            raise outcome


def after_refusal(backoff: Backoff) -> float:
    """Seconds to wait after a 403 or 404: few at first, because a server that is starting refuses everybody."""
    delay = backoff.next()
    return delay if delay < _QUICK else REPEAT_REFUSED


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
