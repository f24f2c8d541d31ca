"""A config source at work, with a proxy that only remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.kube.published import NAMESPACE, RELEASE
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.pacing import INDEX_SILENCE, Timing
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.follow.config_source import ConfigSource
from wardgate.kube.follow.consumer import NotInForce
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.wire.bundle import Bundle
from wardgate.wire.delivery import Delivery

LOCATION = ConfigLocation(RELEASE, NAMESPACE)


@dataclass
class RecordingProxy:
    """``refuses(bundle)``: why a bundle cannot be put in force; it may raise."""

    bundles: list[Bundle] = field(default_factory=list)
    noticed: list[float] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    confirmations: int = 0
    refuses: Callable[[Bundle], str] = lambda _: ""
    busy: asyncio.Event | None = None
    began: int = 0

    @property
    def revision(self) -> str:
        return self.bundles[-1].revision if self.bundles else ""

    async def apply(self, bundle: Bundle, *, noticed: float) -> None:
        self.began += 1
        if self.busy is not None:
            await self.busy.wait()
        trouble = self.refuses(bundle)
        if trouble:
            raise NotInForce("config", trouble)
        self.bundles.append(bundle)
        self.noticed.append(noticed)

    def confirmed(self) -> None:
        self.confirmations += 1

    def announce(self, text: str) -> None:
        self.announced.append(text)


@dataclass
class Following:
    """A running source. ``until`` waits for something, ``rest`` until nothing is left to do without a new event."""

    source: ConfigSource
    proxy: RecordingProxy

    @property
    def delivery(self) -> Delivery:
        return self.source.delivery()

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            print(f"Waited in vain; {self.delivery}; announced {self.proxy.announced}")
            raise

    async def serves(self, bundle: Bundle) -> None:
        await self.until(lambda: self.proxy.revision == bundle.revision)

    async def complains(self) -> None:
        await self.until(lambda: self.delivery.problem != "")

    async def rest(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@asynccontextmanager
async def following(
    client: KubeClient,
    *,
    time: VirtualTime | None = None,
    cache: RevisionFile | None = None,
    location: ConfigLocation = LOCATION,
    silence: float = INDEX_SILENCE,
    proxy: RecordingProxy | None = None,
) -> AsyncIterator[Following]:
    """Run a config source for the time of the block; without ``time`` by the real clocks."""
    recording = proxy or RecordingProxy()
    timing = time.timing if time else Timing()
    source = ConfigSource(client, recording, location=location, cache=cache, timing=timing, silence=silence)
    running = asyncio.get_running_loop().create_task(source.run())
    try:
        yield Following(source, recording)
        assert not running.done(), "The source ended."
    finally:
        running.cancel()
        await asyncio.wait([running])
