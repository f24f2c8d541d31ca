"""The client's part of ``wardgate proxy --cluster``: what is published goes to the proxy, until a signal.

Apart from ``cluster_config``, because the client is a quarter of what the process loads: the workers start meanwhile.
"""

from __future__ import annotations

import time

from wardgate import __version__
from wardgate.cli.serve.serving import Announcer, RunningProxy, Stopping, Terminal
from wardgate.kube.api.access import Load
from wardgate.kube.api.client import KubeClient
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.follow.config_source import ConfigSource
from wardgate.kube.follow.consumer import NotInForce
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.proxy.rollout import ConfigRefused
from wardgate.wire.bundle import Bundle


class ClusterFollower:
    """Follows the index at ``location`` through ``load``'s API server; ``silence`` as in ``ClusterConfig``."""

    def __init__(
        self,
        load: Load,
        location: ConfigLocation,
        *,
        cache: RevisionFile | None,
        silence: float,
    ) -> None:
        self._load = load
        self._location = location
        self._cache = cache
        self._silence = silence

    async def follow(self, serving: RunningProxy, *, terminal: Terminal, stopping: Stopping, server: str) -> None:
        """Serve what is published there until a signal."""
        client = KubeClient(self._load, user_agent=f"wardgate-proxy/{__version__}")
        proxy = _Proxy(serving, terminal=terminal)
        source = ConfigSource(client, proxy, location=self._location, cache=self._cache, silence=self._silence)
        serving.follow(source.delivery)
        admin = f", admin endpoints at http://{serving.admin}" if serving.admin else ""
        terminal.say(f"wardgate {__version__} follows {self._location.index} at {server}{admin}")
        try:
            await serving.until(stopping, following=source.run())
        finally:
            await client.close()


class _Proxy:
    """The config source's consumer. Ports are mapped for gateways that may come: an unused one is worth no word."""

    def __init__(self, serving: RunningProxy, *, terminal: Terminal) -> None:
        self._serving = serving
        self._terminal = terminal
        self._announcer = Announcer(terminal)

    async def apply(self, bundle: Bundle, *, noticed: float) -> None:
        """Put a bundle in force. Raises ``NotInForce``."""
        try:
            in_force = await self._serving.demand(bundle)
        except ConfigRefused as refusal:
            raise NotInForce("config", str(refusal), again=refusal.again) from None
        self._announcer.announce(in_force, revision=bundle.revision, seconds=time.monotonic() - noticed)

    def confirmed(self) -> None:
        """Tell the workers that the config is as young as it is."""
        self._serving.tell_age()

    def announce(self, text: str) -> None:
        """Print it."""
        self._terminal.say(text)
