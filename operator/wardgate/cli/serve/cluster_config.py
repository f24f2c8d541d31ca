"""``wardgate proxy --cluster``: the config is in the Secrets of the config namespace, which are followed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from wardgate.cli.errors import CommandError
from wardgate.cli.serve.serving import Terminal, running_proxy, stop_signals
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.find_access import find_access
from wardgate.kube.api.pacing import INDEX_SILENCE
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.installation import name_installation
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.proxy.settings import ProxySettings


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
        # Late: it loads the client.
        from wardgate.cli.serve.cluster_following import ClusterFollower  # noqa: PLC0415

        follower = ClusterFollower(load, location, cache=cache, silence=config.watch_silence)
        await follower.follow(serving, terminal=terminal, stopping=stopping, server=access.url)
