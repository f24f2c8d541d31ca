"""``wardgate proxy``: the data plane alone, from a config that was translated elsewhere."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from wardgate.cli import options
from wardgate.cli.errors import CommandError
from wardgate.cli.serving import Gateway, Terminal, gateway, stop_signals
from wardgate.proxy.settings import ProxySettings
from wardgate.standalone.bundle_file import BundleFileError, read_bundle
from wardgate.standalone.listing import list_files
from wardgate.standalone.reconciler import REVISION_SHOWN
from wardgate.standalone.watcher import Watcher
from wardgate.wire.bundle import ROUTES, Bundle
from wardgate.wire.decode import decode_routes

_STDIN = Path("-")


def proxy(
    *,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="WARDGATE_CONFIG",
            help="A bundle written by wardgate run --emit; it is followed. - reads one from standard input.",
        ),
    ],
    bind: options.BindOption = "0.0.0.0",  # noqa: S104 - a proxy alone stands in a pod and serves the pod's address
    port: options.PortOption = None,
    workers: options.WorkersOption = 0,
    resolve: options.ResolveOption = None,
    upstream_ca: options.UpstreamCaOption = None,
    admin: options.AdminOption = options.DEFAULT_ADMIN,
    access_log: options.AccessLogOption = True,
    files_root: options.FilesRootOption = None,
    unix_root: options.UnixRootOption = None,
    assign: options.ProxySetOption = None,
) -> None:
    """Serve a config that was translated elsewhere, without reading a manifest.

    The file is followed: a new one is in force within 200 ms and drops no request, and one that cannot be read leaves
    what is in force. So the process that holds the manifests and the one that faces callers can be two.

    \b
    Examples:
      $ wardgate run manifests --emit /run/wardgate/bundle.json
      $ wardgate proxy --config /run/wardgate/bundle.json --port 80=8080 --set timeouts.connect=3
    """
    settings = options.proxy_settings(
        bind=bind,
        ports=port,
        workers=workers,
        resolve=resolve,
        upstream_ca=upstream_ca,
        admin=admin,
        access_log=access_log,
        files_root=files_root,
        unix_root=unix_root,
        assigned=assign,
    )
    asyncio.run(_serve(config, settings, Terminal()))


async def _serve(config: Path, settings: ProxySettings, terminal: Terminal) -> None:
    watcher = Watcher(lambda: list_files([config]), clock=time.monotonic, sleep=asyncio.sleep)
    first = _read(config)
    async with (
        stop_signals(lambda: terminal.say("stopping; a second Ctrl-C ends at once")) as stopping,
        gateway(settings, terminal) as serving,
    ):
        follower = _Follower(config, serving, terminal)
        if not await follower.take(first, noticed=time.monotonic()):
            msg = "The config cannot be served; see above."
            raise CommandError(msg)
        terminal.unused_ports(settings.ports, decode_routes(first.groups[ROUTES]).config.listeners)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follower.follow(watcher), name="follow the bundle")
            await stopping.wait()
            following.cancel()


class _Follower:
    """Puts each new bundle in force."""

    def __init__(self, config: Path, serving: Gateway, terminal: Terminal) -> None:
        self._config = config
        self._serving = serving
        self._terminal = terminal
        self._revision = ""
        self._listeners: Mapping[str, str] = {}
        self._complaint = ""

    async def take(self, bundle: Bundle, *, noticed: float) -> bool:
        """Put a bundle in force; return whether every listener of it is."""
        if bundle.revision == self._revision:
            return True
        in_force = await self._serving.apply(bundle)
        for problem in in_force.problems:
            self._terminal.say(f"error: {problem}")
        before, self._listeners = self._listeners, in_force.listeners
        self._terminal.listeners(
            {name: where for name, where in in_force.listeners.items() if before.get(name) != where},
            {name: where for name, where in before.items() if name not in in_force.listeners},
        )
        self._revision = bundle.revision
        taken = (time.monotonic() - noticed) * 1000
        self._terminal.say(f"config {bundle.revision[:REVISION_SHOWN]} live in {taken:.0f} ms")
        return in_force.complete

    async def follow(self, watcher: Watcher) -> None:
        """Take what the file holds after every change, until cancelled."""
        while True:
            noticed = await watcher.changed()
            try:
                bundle = _read(self._config)
            except CommandError as error:
                self._complain(error.message)
                continue
            self._complaint = ""
            await self.take(bundle, noticed=noticed)

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._terminal.say(f"error: {complaint} What was in force stays.")
        self._complaint = complaint


def _read(config: Path) -> Bundle:
    try:
        return read_bundle(sys.stdin.buffer.read() if config == _STDIN else config.read_bytes())
    except OSError as error:
        msg = f"{config} cannot be read: {error.strerror}."
        raise CommandError(msg) from error
    except BundleFileError as error:
        msg = f"{config}: {error}"
        raise CommandError(msg) from error
