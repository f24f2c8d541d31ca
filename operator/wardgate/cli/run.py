"""``wardgate run``: a gateway on this machine, from a folder of manifests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from wardgate import __version__
from wardgate.cli.errors import CommandError
from wardgate.cli.options import assignments
from wardgate.cli.options.excluding import ExcludeOption
from wardgate.cli.options.option_groups import grouped
from wardgate.cli.options.paths import FolderArgument
from wardgate.cli.options.proxy_options import ProxyOptions, RootOptions
from wardgate.cli.options.set_option import SetOption
from wardgate.cli.options.translation_options import TranslationOptions
from wardgate.cli.serve.serving import RunningProxy, Terminal, running_proxy, stop_signals
from wardgate.outlet import unblocked_standard_error
from wardgate.proxy.settings import ProxySettings, Timeouts
from wardgate.settings import Settings
from wardgate.standalone.findings.tracker import DiagnosticChanges
from wardgate.standalone.handover.bundle_file import write_bundle
from wardgate.standalone.handover.in_force import InForce
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.rounds.folder_reconciler import FolderReconciler, Round
from wardgate.standalone.scan.folder import Folder
from wardgate.standalone.scan.listing import list_files
from wardgate.standalone.scan.watcher import Watcher
from wardgate.undumpable import make_undumpable
from wardgate.wire.bundle import Bundle

_TIMEOUTS = Timeouts(shutdown_delay=0.0)
"""No load balancer stands before a folder on somebody's machine."""


@dataclass(frozen=True, slots=True)
class _Job:
    """The command line, read. ``emit`` None: nothing is written."""

    folder: Path
    exclude: Sequence[str]
    settings: Settings
    proxy: ProxySettings
    emit: Path | None


@grouped
def run(
    folder: FolderArgument,
    *,
    exclude: ExcludeOption = None,
    proxy: ProxyOptions = ProxyOptions(),
    translation: TranslationOptions = TranslationOptions(),
    roots: RootOptions = RootOptions(),
    assign: SetOption = None,
    emit: Annotated[
        Path | None,
        typer.Option(
            "--emit",
            metavar="FILE",
            dir_okay=False,
            envvar="WARDGATE_EMIT",
            help="Write every config to FILE too, for wardgate proxy --config. It holds tokens in clear.",
        ),
    ] = None,
) -> None:
    """Serve the gateway that the manifests in DIR describe, and follow their changes. No cluster needed.

    Each VirtualGateway's port is bound on 127.0.0.1. A change of a file is live within 200 ms and drops no request; a
    mistake is printed with its file, line and remedy, and what was good before stays in force, keys excepted: a key
    that cannot be read is refused. Ctrl-C drains and ends.

    \b
    Examples:
      $ wardgate run examples/huggingface
      $ wardgate run manifests --bind 0.0.0.0 --port 80=8080 --port 443=8443
      $ wardgate run manifests --set limits.body_bytes=1MiB --set timeouts.response_head=60
    \b
    With a provider's stand-in on this machine, the manifests untouched:
      $ wardgate run manifests --resolve api.openai.com:443=127.0.0.1:8443 --upstream-ca stand-in-ca.pem
    """
    job = _Job(
        folder=folder,
        exclude=exclude or (),
        emit=emit,
        settings=assignments.to_the_translation(translation.settings(roots), assign or ()),
        proxy=assignments.to_the_proxy(replace(proxy.settings(roots), timeouts=_TIMEOUTS), assign or ()),
    )
    make_undumpable()
    with unblocked_standard_error(coloured=True):
        asyncio.run(_serve(job, _FolderTerminal()))


class _FolderTerminal(Terminal):
    """Tells what is wrong with the folder, too."""

    def problems(self, changes: DiagnosticChanges) -> None:
        """Print what is wrong now and what no longer is."""
        for one in changes.appeared:
            self.printer.diagnostic(one)
        for one in changes.resolved:
            self.printer.resolved(one)


async def _serve(job: _Job, terminal: _FolderTerminal) -> None:
    started = time.monotonic()
    # The watcher looks before the folder is read: what changes in between is a change.
    watcher = Watcher(lambda: list_files([job.folder], job.exclude), clock=time.monotonic, sleep=asyncio.sleep)
    folder, engine = Folder([job.folder], exclude=job.exclude), Engine(job.settings)
    async with (
        stop_signals(lambda: terminal.say("stopping; a second Ctrl-C ends at once")) as stopping,
        running_proxy(job.proxy, terminal) as serving,
    ):
        _welcome(job, serving, terminal=terminal)
        reconciler = FolderReconciler(
            folder, engine, apply=_Applier(serving, job.emit).apply, reporter=terminal, clock=time.monotonic
        )
        first = await reconciler.reconcile(noticed=started)
        _demand_listeners(first, terminal)
        terminal.unused_ports(job.proxy.ports, first.in_force.ports)
        await serving.until(stopping, following=reconciler.follow(watcher.changed))


def _welcome(job: _Job, serving: RunningProxy, *, terminal: Terminal) -> None:
    admin = f", admin endpoints at http://{serving.admin}" if serving.admin else ""
    terminal.say(f"wardgate {__version__} follows {job.folder}{admin}")


def _demand_listeners(first: Round, terminal: Terminal) -> None:
    if not first.outcome.config.listeners:
        terminal.say("no VirtualGateway with a listener in the folder: nothing is served until there is one")
    elif not first.in_force.complete:
        msg = "Not every listener can be served; see above."
        raise CommandError(msg)


class _Applier:
    """Puts a bundle in force, and first writes it where ``--emit`` says."""

    def __init__(self, serving: RunningProxy, emit: Path | None) -> None:
        self._serving = serving
        self._emit = emit

    async def apply(self, bundle: Bundle) -> InForce:
        in_force = await self._serving.apply(bundle)
        if self._emit is not None:
            try:
                await asyncio.to_thread(write_bundle, self._emit, bundle)
            except OSError as error:
                trouble = f"The config cannot be written to {self._emit}: {error.strerror}."
                return replace(in_force, problems=(*in_force.problems, trouble))
        return in_force
