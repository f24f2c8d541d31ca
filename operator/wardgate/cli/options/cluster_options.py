"""Options of the commands that talk to a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

ReleaseOption = Annotated[
    str,
    typer.Option("--release", metavar="NAME", envvar="WARDGATE_RELEASE", help="Name of the installation."),
]
ConfigNamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--config-namespace",
        metavar="NAME",
        envvar="WARDGATE_CONFIG_NAMESPACE",
        help="Where the published configs are. [default: RELEASE-config]",
    ),
]
KubeconfigOption = Annotated[
    str | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        envvar="KUBECONFIG",
        help="Which cluster. [default: the pod's own, else ~/.kube/config]",
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="Context of the kubeconfig. [default: its current one]"),
]
