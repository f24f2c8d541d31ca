"""``wardgate proxy``: the data plane alone, from a config that was translated elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from wardgate.cli.errors import USAGE, CommandError
from wardgate.cli.options import assignments
from wardgate.cli.options.cluster_options import ConfigNamespaceOption, ContextOption, KubeconfigOption, ReleaseOption
from wardgate.cli.options.option_groups import grouped
from wardgate.cli.options.proxy_options import ProxyOptions, RootOptions
from wardgate.cli.options.set_option import ProxySetOption
from wardgate.cli.serve.serving import Terminal
from wardgate.outlet import unblocked_standard_error
from wardgate.setting import NAMESPACE
from wardgate.undumpable import make_undumpable

_OF_THE_CLUSTER: Final = {
    "release": "--release",
    "config_namespace": "--config-namespace",
    "kubeconfig": "--kubeconfig",
    "context": "--context",
    "cache_dir": "--cache-dir",
    "max_config_age": "--max-config-age",
}


@grouped
def proxy(
    call: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="WARDGATE_CONFIG",
            help="A bundle written by wardgate run --emit; it is followed. - reads one from standard input.",
        ),
    ] = None,
    cluster: Annotated[
        bool,
        typer.Option(
            "--cluster", envvar="WARDGATE_CLUSTER", help="Follow what wardgate operator publishes in a cluster."
        ),
    ] = False,
    release: ReleaseOption = "wardgate",
    config_namespace: ConfigNamespaceOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(
            "--cache-dir",
            metavar="DIR",
            exists=True,
            file_okay=False,
            writable=True,
            envvar="WARDGATE_CACHE_DIR",
            help="Keep the last good config here, for a restart while the API server is away. It holds tokens in "
            "clear: give a volume in memory.",
        ),
    ] = None,
    max_config_age: Annotated[
        float,
        typer.Option(
            "--max-config-age",
            metavar="SECONDS",
            min=0.0,
            max=1_000_000.0,
            envvar="WARDGATE_MAX_CONFIG_AGE",
            help="Refuse every request (503) once the config was last confirmed so long ago; 0 never does.",
        ),
    ] = 0.0,
    proxy: ProxyOptions = ProxyOptions(bind="0.0.0.0"),  # noqa: S104 - in a pod, at the pod's address
    roots: RootOptions = RootOptions(),
    assign: ProxySetOption = None,
) -> None:
    """Serve a config that was translated elsewhere, without reading a manifest.

    With --config the file is followed: a new one is in force within 200 ms. With --cluster the config is followed that
    wardgate operator publishes there: a new one is in force within milliseconds, and the proxy starts, waits and goes
    on serving whether or not the operator and the API server are there. No change drops a request, and what cannot be
    read leaves what is in force.

    \b
    Examples:
      $ wardgate run manifests --emit /run/wardgate/bundle.json
      $ wardgate proxy --config /run/wardgate/bundle.json --port 80=8080 --set timeouts.connect=3
      $ wardgate proxy --cluster --release wardgate --cache-dir /run/wardgate --port 80=8080
    """
    _demand_one_source(call, config=config, cluster=cluster)
    make_undumpable()
    settings = assignments.to_the_proxy(proxy.settings(roots), assign or ())
    # Late: who serves a file starts faster, and smaller, without the client of the API server; and the other way round.
    if config is not None:
        from wardgate.cli.serve.file_config import serve_file  # noqa: PLC0415

        with unblocked_standard_error(coloured=True):
            asyncio.run(serve_file(config, settings, terminal=Terminal()))
        return
    from wardgate.cli.serve.cluster_config import ClusterConfig, serve_cluster  # noqa: PLC0415
    from wardgate.kube.api.pacing import INDEX_SILENCE  # noqa: PLC0415

    place = ClusterConfig(
        release=_dns_label(release, option="--release"),
        namespace=_dns_label(config_namespace or f"{release}-config", option="--config-namespace"),
        kubeconfig=kubeconfig,
        context=context,
        cache_dir=cache_dir,
        watch_silence=assignments.watch_silence(assign or (), default=INDEX_SILENCE),
    )
    with unblocked_standard_error(coloured=True):
        asyncio.run(serve_cluster(place, replace(settings, max_config_age=max_config_age), terminal=Terminal()))


def _demand_one_source(call: typer.Context, *, config: Path | None, cluster: bool) -> None:
    if cluster == (config is not None):
        trouble = "Both --config and --cluster are given" if cluster else "Neither --config nor --cluster is given"
        msg = f"{trouble}; give one: --config FILE for a bundle in a file, --cluster for what an operator publishes."
        raise CommandError(msg, status=USAGE)
    if cluster:
        return
    for name, option in _OF_THE_CLUSTER.items():
        source = call.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            msg = f"{option} says something of a cluster, and --config reads a file: leave one of them out."
            raise CommandError(msg, status=USAGE)


def _dns_label(text: str, *, option: str) -> str:
    try:
        return str(NAMESPACE.read(text))
    except ValueError:
        msg = f'{option}: "{text}" is not made of small letters, digits and "-", at most 63 of them.'
        raise CommandError(msg, status=USAGE) from None
