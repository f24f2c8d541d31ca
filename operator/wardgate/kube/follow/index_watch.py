"""The index as a proxy sees it: looked for, watched, and looked for again whenever a watch ends.

The index is watched by its name, which is all that a proxy's role allows. Whatever ends a watch, the next thing is a
new look, so that nothing depends on having seen every event. The meaning of the index is not this module's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError, ConnectionFailed, KubeError
from wardgate.kube.api.list_watch import Consumer, Pace, Trouble, follow
from wardgate.kube.api.pacing import INDEX_SILENCE, Timing
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.index import Manifest, index_name

_LOOK: Final = 10.0
"""Seconds for a look."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The index as it was seen, ``at`` seconds on the clock; ``secret`` None: there is none.

    ``live``: a watch told it as it was written. Otherwise a look found it, and it may have been there for long.
    """

    secret: Manifest | None = field(repr=False)
    live: bool
    at: float


class IndexWatch:
    """``seen`` gets every sighting; ``connection`` a sentence that says why there is none, empty once there is."""

    def __init__(
        self,
        client: KubeClient,
        location: ConfigLocation,
        *,
        seen: Callable[[Sighting], None],
        connection: Callable[[str], None],
        timing: Timing,
        silence: float = INDEX_SILENCE,
    ) -> None:
        self._client = client
        self._location = location
        self._seen = seen
        self._connection = connection
        self._timing = timing
        # A look reads one Secret, so there is one after every watch.
        self._pace = Pace(silence=silence, relist=0.0)
        self._index = Collection(
            SECRETS, location.namespace, (("fieldSelector", f"metadata.name={index_name(location.release)}"),)
        )

    async def run(self) -> NoReturn:
        """Follow the index until cancelled."""
        consumer = Consumer(
            on_list=self._look,
            on_event=self._take,
            on_trouble=self._has_trouble,
            on_open=lambda: self._connection(""),
        )
        await follow(self._client, self._index, consumer=consumer, timing=self._timing, pace=self._pace)

    async def _look(self) -> str:
        """Pass on the index as it is now; return the version to watch from."""
        # A connection that is kept may be as dead as the watch that just ended.
        found = await self._client.probe(self._index.path, self._index.parameters, limit=_LOOK)
        secrets = found["items"]
        self._pass_on(secrets[0] if secrets else None, live=False)
        return str(found["metadata"]["resourceVersion"])

    async def _take(self, event: Manifest) -> None:
        if event["type"] in {"ADDED", "MODIFIED"}:
            self._pass_on(event["object"], live=True)
        elif event["type"] == "DELETED":
            self._pass_on(None, live=True)

    def _pass_on(self, secret: Manifest | None, *, live: bool) -> None:
        self._seen(Sighting(secret, live=live, at=self._timing.clock()))

    def _has_trouble(self, trouble: Trouble) -> None:
        """Tell of it, unless the next look will: a watch that breaks says nothing about the API server."""
        if not isinstance(trouble.error, KubeError):
            name = type(trouble.error).__name__
            self._connection(f"Internal error ({name}) while the index was watched; please report it.")
        elif not (trouble.watching and (trouble.is_expired or isinstance(trouble.error, ConnectionFailed))):
            self._connection(self._explain(trouble.error))

    def _explain(self, error: KubeError) -> str:
        if isinstance(error, ApiError) and error.is_forbidden:
            return (
                f"The API server does not let this proxy see {self._location.index} ({error}). Its ServiceAccount "
                f"needs, in namespace {self._location.namespace}: get on secrets; list and watch on the one of that "
                f"name."
            )
        return f"The API server does not answer as it should ({error})."
