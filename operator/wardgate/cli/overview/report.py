"""The report of ``wardgate status``: the installation in the cluster is looked at, and the report printed.

Loaded by the command alone when it runs: the cluster's client is heavy, and the other commands do without it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, TypeAlias

import typer

from wardgate import __version__
from wardgate.cli.errors import CommandError
from wardgate.cli.overview.document import status_document
from wardgate.cli.overview.screen import show
from wardgate.kube.api.connect import connect
from wardgate.kube.api.errors import KubeError
from wardgate.kube.report.installation_report import InstallationReport, Release, take_report
from wardgate.printable import printable_json

Format: TypeAlias = Literal["text", "json"]


async def print_report(release: Release, *, kubeconfig: str | None, context: str | None, output: Format) -> None:
    """Look at the cluster and print what is there. Raises ``CommandError`` where the API server cannot be asked."""
    report = await _look(release, kubeconfig=kubeconfig, context=context)
    if output == "json":
        typer.echo(printable_json(status_document(report)))
    else:
        show(report)


async def _look(release: Release, *, kubeconfig: str | None, context: str | None) -> InstallationReport:
    agent = f"wardgate-status/{__version__}"
    try:
        client = await connect(kubeconfig=kubeconfig, context=context, user_agent=agent)
        try:
            return await take_report(client, release, now=current_time)
        finally:
            await client.close()
    except KubeError as error:
        raise CommandError(str(error)) from error


def current_time() -> datetime:
    """The time of day, by which ages are told."""
    return datetime.now(UTC)
