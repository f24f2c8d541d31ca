"""``wardgate proxy --cluster``: the config is in the Secrets of the config namespace, which are followed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from wardgate import __version__
from wardgate.cli.errors import CommandError
from wardgate.cli.serve.serving import Announcer, RunningProxy, Terminal, running_proxy, stop_signals
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.find_access import find_access
from wardgate.kube.api.pacing import INDEX_SILENCE
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.installation import name_installation
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.supervisor import ConfigRefused
from wardgate.wire.bundle import Bundle


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where the config is. Without ``kubeconfig`` and ``context`` the pod's own cluster, else the default one."""

    release: str
    namespace: str
    kubeconfig: str | None = None
    context: str | None = None
    cache_dir: Path | None = None
    watch_silence: float = INDEX_SILENCE
    """Seconds without a word after which the watch of the index is opened anew."""


async def serve_cluster(config: ClusterConfig, settings: ProxySettings, *, terminal: Terminal) -> None:
    """Serve what a cluster's operator publishes until a signal, whatever becomes of the operator or the API server."""
    location = ConfigLocation(config.release, config.namespace)
    cache = None
    if config.cache_dir is not None:
        cache = RevisionFile(config.cache_dir, release=config.release, namespace=config.namespace)
    try:
        load, access = await find_access(kubeconfig=config.kubeconfig, context=config.context)
    except KubeError as error:
        raise CommandError(str(error)) from error
    installation = settings.installation or name_installation(access, location)
    async with (
        stop_signals(lambda: terminal.say("stopping; a second Ctrl-C ends at once")) as stopping,
        running_proxy(replace(settings, installation=installation), terminal) as serving,
    ):
        # Late: a quarter of what this process loads, and the workers start meanwhile.
        from wardgate.kube.api.client import KubeClient  # noqa: PLC0415
        from wardgate.kube.follow.config_source import ConfigSource  # noqa: PLC0415

        proxy = _Proxy(serving, settings, terminal=terminal)
        client = KubeClient(load, user_agent=f"wardgate-proxy/{__version__}")
        source = ConfigSource(client, proxy, location=location, cache=cache, silence=config.watch_silence)
        serving.follow(source.delivery)
        admin = f", admin endpoints at http://{serving.admin}" if serving.admin else ""
        terminal.say(f"wardgate {__version__} follows {location.index} at {access.url}{admin}")
        try:
            await serving.until(stopping, following=source.run())
        finally:
            await client.close()


class _Proxy:
    """The config source's consumer."""

    def __init__(self, serving: RunningProxy, settings: ProxySettings, *, terminal: Terminal) -> None:
        self._serving = serving
        self._settings = settings
        self._terminal = terminal
        self._announcer = Announcer(terminal)
        self._served_before = False

    async def apply(self, bundle: Bundle, *, noticed: float) -> str:
        """Put a bundle in force; return why it cannot be."""
        try:
            in_force = await self._serving.demand(bundle)
        except ConfigRefused as refusal:
            return str(refusal)
        self._announcer.announce(in_force, revision=bundle.revision, seconds=time.monotonic() - noticed)
        if not self._served_before:
            self._served_before = True
            self._terminal.unused_ports(self._settings.ports, in_force.ports)
        return ""

    def confirmed(self) -> None:
        """Tell the workers that the config is as young as it is."""
        self._serving.tell_age()

    def announce(self, text: str) -> None:
        """Print it."""
        self._terminal.say(text)
