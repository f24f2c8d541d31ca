"""``wardgate status``: how an installation in a cluster stands, on one screen."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from wardgate import __version__
from wardgate.cli import options
from wardgate.cli.errors import USAGE, CommandError
from wardgate.printable import printable_json

if TYPE_CHECKING:
    from wardgate.kube.report.installation_report import InstallationReport, Release

_DEFAULT: Final = Path("~/.kube/config")


def status(
    *,
    release: options.ReleaseOption = "wardgate",
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", metavar="NAME", envvar="WARDGATE_NAMESPACE", help="Where the release is installed."
        ),
    ] = "wardgate",
    config_namespace: options.ConfigNamespaceOption = None,
    kubeconfig: options.KubeconfigOption = None,
    context: options.ContextOption = None,
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="Format of the report.")] = "text",
) -> None:
    """Show gateways, routes, policies, keys, problems, and which proxy serves which revision.

    It reads statuses, the metadata of key Secrets (their names, never their values), the index of the published config,
    and asks the proxies through the API server. What you may not read is left out, and said.

    \b
    Examples:
      $ wardgate status
      $ wardgate status --context prod --namespace wardgate --release wardgate
      $ wardgate status --output json | jq '.problems[].message'
    """
    # Late: the cluster's client is heavy, and the other commands do without it.
    from wardgate.kube.report.installation_report import Release  # noqa: PLC0415

    _check_kubeconfig(kubeconfig)
    place = Release(release, namespace, config_namespace or f"{release}-config")
    report = asyncio.run(_look(place, kubeconfig=kubeconfig, context=context))
    if output == "json":
        from wardgate.cli.status_json import status_document  # noqa: PLC0415

        typer.echo(printable_json(status_document(report)))
        return
    from wardgate.cli.status_screen import show  # noqa: PLC0415

    show(report)


async def _look(release: Release, *, kubeconfig: str | None, context: str | None) -> InstallationReport:
    from wardgate.kube.api.connect import connect  # noqa: PLC0415
    from wardgate.kube.api.errors import KubeError  # noqa: PLC0415
    from wardgate.kube.report.installation_report import take_report  # noqa: PLC0415

    agent = f"wardgate-status/{__version__}"
    try:
        client = await connect(kubeconfig=kubeconfig, context=context, user_agent=agent)
        try:
            return await take_report(client, release, now=current_time)
        finally:
            await client.close()
    except KubeError as error:
        raise CommandError(str(error)) from error


def _check_kubeconfig(given: str | None) -> None:
    """Say plainly that there is none: what reads it would miss a key in it."""
    paths = [Path(path) for path in (given or str(_DEFAULT)).split(os.pathsep) if path]
    in_a_pod = given is None and "KUBERNETES_SERVICE_HOST" in os.environ
    if not in_a_pod and not any(path.expanduser().is_file() for path in paths):
        msg = f"There is no kubeconfig at {' or '.join(map(str, paths))}. Name one with --kubeconfig or KUBECONFIG."
        raise CommandError(msg, status=USAGE)


def current_time() -> datetime:
    """The time of day, by which ages are told."""
    return datetime.now(UTC)
