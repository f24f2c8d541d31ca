"""``wardgate operator``: the control plane. Watches the cluster, publishes configs for the proxies, writes statuses."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from dataclasses import replace
from typing import Annotated, Literal

import typer

from wardgate import __version__
from wardgate.cli.errors import CommandError
from wardgate.cli.options import assignments
from wardgate.cli.options.cluster_options import ConfigNamespaceOption, ContextOption, KubeconfigOption, ReleaseOption
from wardgate.cli.options.option_groups import grouped
from wardgate.cli.options.set_option import OperatorSetOption
from wardgate.cli.options.translation_options import TranslationOptions
from wardgate.cli.options.values import parse_admin
from wardgate.cli.serve.serving import stop_signals
from wardgate.control.release_scope import SelectorError, parse_selector
from wardgate.control.settings import OperatorSettings
from wardgate.kube.api.pacing import SILENCE
from wardgate.outlet import unblocked_standard_error
from wardgate.printable import printable
from wardgate.undumpable import make_undumpable

_DEFAULT_ADMIN = "127.0.0.1:9902"
PROXY_ADMIN_PORT = 9901
"""As the chart's proxies have it."""


def _labels(text: str) -> str:
    try:
        parse_selector(text)
    except SelectorError as error:
        raise typer.BadParameter(str(error)) from error
    return text


@grouped
def operator(
    *,
    release: ReleaseOption = "wardgate",
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace",
            metavar="NAME",
            envvar="WARDGATE_NAMESPACE",
            help="Where the Lease and the operator's state are kept.",
        ),
    ] = "wardgate",
    config_namespace: ConfigNamespaceOption = None,
    watch_namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--watch-namespace",
            metavar="NAME",
            envvar="WARDGATE_WATCH_NAMESPACES",
            help="A namespace whose policies and routes count; may be repeated. None: all.",
        ),
    ] = None,
    key_namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--key-namespace",
            metavar="NAME",
            envvar="WARDGATE_KEY_NAMESPACES",
            help="A namespace whose Secrets are read; may be repeated. None: all.",
        ),
    ] = None,
    opaque_key_selector: Annotated[
        str,
        typer.Option(
            "--opaque-key-selector",
            metavar="LABELS",
            parser=_labels,
            envvar="WARDGATE_OPAQUE_KEY_SELECTOR",
            help="Read Opaque Secrets with these labels too, to tell of those that should be of the key type.",
        ),
    ] = "",
    gateways: Annotated[
        str,
        typer.Option(
            "--gateways",
            metavar="LABELS",
            parser=_labels,
            envvar="WARDGATE_GATEWAYS",
            help="Serve the VirtualGateways with these labels only; the rest belongs to another release.",
        ),
    ] = "",
    translation: TranslationOptions = TranslationOptions(),
    status: Annotated[
        Literal["on", "off"],
        typer.Option(
            "--status", envvar="WARDGATE_STATUS", help="off: write no statuses and Events, beside a live Gloo."
        ),
    ] = "on",
    proxy_service: Annotated[
        str | None,
        typer.Option(
            "--proxy-service",
            metavar="NAME",
            envvar="WARDGATE_PROXY_SERVICE",
            help="Headless Service of the proxies' admin endpoints. [default: RELEASE-proxy-admin]",
        ),
    ] = None,
    proxy_admin: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy-admin",
            metavar="URL",
            envvar="WARDGATE_PROXY_ADMINS",
            help="A proxy's admin endpoint, in the place of the Service; may be repeated.",
        ),
    ] = None,
    bind: Annotated[
        str,
        typer.Option(
            "--bind",
            metavar="ADDR:PORT",
            parser=parse_admin,
            envvar="WARDGATE_OPERATOR_BIND",
            help="Where /healthz, /readyz and /metrics are; none turns them off.",
        ),
    ] = _DEFAULT_ADMIN,
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity",
            metavar="NAME",
            envvar="WARDGATE_POD_NAME",
            help="This replica's name in the Lease. [default: the host's name and the process's id]",
        ),
    ] = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    assign: OperatorSetOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", envvar="WARDGATE_VERBOSE", help="Log at DEBUG.")] = False,
) -> None:
    """Watch the cluster and publish what the proxies serve.

    Several replicas may run: all watch, one writes. It never changes a Secret or a spec of yours; what it writes are
    the Secrets of the config namespace, its own state, statuses, Events and a Lease.

    \b
    Examples:
      $ wardgate operator --release wardgate --namespace wardgate
      $ wardgate operator --watch-namespace ai --key-namespace ai-keys
      $ wardgate operator --tenancy isolated --platform-namespace ai
      $ wardgate operator --kubeconfig ~/.kube/config --proxy-admin http://127.0.0.1:9901
    """
    settings = OperatorSettings(
        release=release,
        namespace=namespace,
        config_namespace=config_namespace or f"{release}-config",
        identity=identity or f"{socket.gethostname()}-{os.getpid()}",
        translation=replace(
            assignments.to_the_translation(
                replace(translation.settings(allow_loopback=False), admin_port=PROXY_ADMIN_PORT), assign or ()
            ),
            watch_namespaces=frozenset(watch_namespace or ()),
            key_namespaces=frozenset(key_namespace or ()),
        ),
        opaque_key_selector=opaque_key_selector,
        gateways=parse_selector(gateways),
        write_status=status == "on",
        proxy_service="" if proxy_admin else (proxy_service or f"{release}-proxy-admin"),
        proxy_admins=tuple(proxy_admin or ()),
        admin=bind,
        watch_silence=assignments.watch_silence(assign or (), default=SILENCE),
    )
    make_undumpable()
    try:
        with unblocked_standard_error(coloured=False):
            _log_to_standard_error(verbose=verbose)
            asyncio.run(_operate(settings, kubeconfig=kubeconfig, context=context))
    finally:
        # The process is about to end. To look through all there is for cycles before that takes up to a second.
        gc.freeze()


async def _operate(settings: OperatorSettings, *, kubeconfig: str | None, context: str | None) -> None:
    # Late: kopf and the cluster's client are heavy, and the other commands do without them.
    from wardgate.control.app import operate  # noqa: PLC0415
    from wardgate.kube.api.connect import connect  # noqa: PLC0415
    from wardgate.kube.api.errors import KubeError  # noqa: PLC0415

    log = logging.getLogger("wardgate")
    try:
        client = await connect(kubeconfig=kubeconfig, context=context, user_agent=f"wardgate-operator/{__version__}")
    except KubeError as error:
        raise CommandError(str(error)) from error
    async with stop_signals(lambda: log.info("Stopping.")) as stopping:
        try:
            await operate(settings, client, stopping=stopping)
        except OSError as error:
            msg = f"The admin endpoints cannot be opened at {settings.admin}: {error.strerror}. Choose another --bind."
            raise CommandError(msg) from error
        finally:
            await client.close()


class _OneLine(logging.Formatter):
    """A message is one line, whatever a stranger's text in it holds."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the base class's
        """Format the message without its traceback."""
        return printable(super().formatMessage(record))


def _log_to_standard_error(*, verbose: bool) -> None:
    """One line an event. Other libraries stay at WARNING: at DEBUG they may quote what they carry."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("wardgate").setLevel(logging.DEBUG if verbose else logging.INFO)
