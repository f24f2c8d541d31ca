"""``wardgate status``: how an installation in a cluster stands, on one screen."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from wardgate.cli.errors import USAGE, CommandError
from wardgate.cli.options.cluster_options import ConfigNamespaceOption, ContextOption, KubeconfigOption, ReleaseOption

_DEFAULT: Final = Path("~/.kube/config")


def status(
    *,
    release: ReleaseOption = "wardgate",
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", metavar="NAME", envvar="WARDGATE_NAMESPACE", help="Where the release is installed."
        ),
    ] = "wardgate",
    config_namespace: ConfigNamespaceOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="Format of the report.")] = "text",
) -> None:
    """Show gateways, routes, policies, keys, problems, and which proxy serves which revision.

    It reads statuses, the metadata of key Secrets (their names, never their values), the index of the published config,
    and asks the proxies through the API server. Parts that you may not read are left out, and named.

    \b
    Examples:
      $ wardgate status
      $ wardgate status --context prod --namespace wardgate --release wardgate
      $ wardgate status --output json | jq '.problems[].message'
    """
    # Late: the cluster's client is heavy, and the list of commands does without it.
    from wardgate.cli.overview.report import print_report  # noqa: PLC0415
    from wardgate.kube.report.installation_report import Release  # noqa: PLC0415

    _check_kubeconfig(kubeconfig)
    place = Release(release, namespace, config_namespace or f"{release}-config")
    asyncio.run(print_report(place, kubeconfig=kubeconfig, context=context, output=output))


def _check_kubeconfig(given: str | None) -> None:
    """Say plainly that there is none: what reads it would miss a key in it."""
    paths = [Path(path) for path in (given or str(_DEFAULT)).split(os.pathsep) if path]
    in_a_pod = given is None and "KUBERNETES_SERVICE_HOST" in os.environ
    if not in_a_pod and not any(path.expanduser().is_file() for path in paths):
        msg = f"There is no kubeconfig at {' or '.join(map(str, paths))}. Name one with --kubeconfig or KUBECONFIG."
        raise CommandError(msg, status=USAGE)
