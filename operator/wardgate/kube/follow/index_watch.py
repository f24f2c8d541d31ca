"""The index under our eyes: listed, watched, and looked for again whenever the watch ends, for as long as we live.

It is watched by its name, which is all that a proxy's role allows. A watch that says nothing for too long is dead: the
API server sends a bookmark every minute, and a living operator renews the index every 15 s. Whatever ends a watch, the
next thing is a new look at what there is; so nothing depends on having seen every event. What the index says is not
this module's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from wardgate.kube.api.client import KubeClient, Parameters
from wardgate.kube.api.errors import ApiError, ConnectionFailed, KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.index import Manifest, index_name

SILENCE: Final = 45.0
"""Seconds without a word after which a watch is dead."""
_LIFETIME: Final = 240
"""Seconds after which the server ends a watch, and up to half as much again."""
_LOOK: Final = 10.0
"""Seconds for a look."""
_STEADY: Final = 5.0
"""Seconds after which a watch that ends was a good one: the next one needs no back-off."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The index as it was seen, ``at`` seconds on the clock; ``secret`` None: there is none.

    ``live``: told by a watch just when it was written. Otherwise it was found, and may have been lying there.
    """

    secret: Manifest | None = field(repr=False)
    live: bool
    at: float


class IndexWatch:
    """``seen`` gets every sighting; ``connection`` why nothing is seen, in a sentence, and an empty one once it is."""

    def __init__(
        self,
        client: KubeClient,
        location: ConfigLocation,
        *,
        seen: Callable[[Sighting], None],
        connection: Callable[[str], None],
        timing: Timing,
        silence: float = SILENCE,
    ) -> None:
        self._client = client
        self._location = location
        self._seen = seen
        self._connection = connection
        self._timing = timing
        self._silence = silence
        self._selector = {"fieldSelector": f"metadata.name={index_name(location.release)}"}

    async def run(self) -> NoReturn:
        """Follow the index until cancelled."""
        backoff = Backoff(self._timing.random)
        while True:
            began = self._timing.clock()
            try:
                trouble = await self._follow_once()
            except Exception as error:  # noqa: BLE001 - nobody else would look for a revoked key
                trouble = f"Internal error ({type(error).__name__}) while the index was watched; please report it."
            if trouble:
                self._connection(trouble)
            if self._timing.clock() - began >= _STEADY:
                backoff.reset()
            await self._timing.sleep(backoff.next())

    async def _follow_once(self) -> str:
        """Look, then watch until the watch ends; return what the next look alone will not tell."""
        try:
            version = await self._look()
        except KubeError as error:
            return self._explain(error)
        try:
            await self._watch(version)
        except ConnectionFailed:
            return ""
        except ApiError as error:
            return "" if error.is_expired else self._explain(error)
        return ""

    async def _look(self) -> str:
        """Pass on what there is; return the version to watch from."""
        # A connection that is kept may be as dead as the watch that just ended.
        found = await self._client.probe(self._location.path(), self._selector, limit=_LOOK)
        secrets = found["items"]
        self._pass_on(secrets[0] if secrets else None, live=False)
        return str(found["metadata"]["resourceVersion"])

    async def _watch(self, version: str) -> None:
        lifetime = int(_LIFETIME * (1.0 + 0.5 * self._timing.random()))
        parameters: Parameters = {**self._selector, "resourceVersion": version, "timeoutSeconds": lifetime}
        async with self._client.watch(self._location.path(), parameters, silence=self._silence) as events:
            self._connection("")
            async for event in events:
                if event["type"] in {"ADDED", "MODIFIED"}:
                    self._pass_on(event["object"], live=True)
                elif event["type"] == "DELETED":
                    self._pass_on(None, live=True)

    def _pass_on(self, secret: Manifest | None, *, live: bool) -> None:
        self._seen(Sighting(secret, live=live, at=self._timing.clock()))

    def _explain(self, error: KubeError) -> str:
        if isinstance(error, ApiError) and error.is_forbidden:
            return (
                f"The API server does not let this proxy see {self._location.index} ({error}). Its ServiceAccount "
                f"needs, in namespace {self._location.namespace}: get on secrets; list and watch on the one of that "
                f"name."
            )
        return f"The API server does not answer as it should ({error})."
