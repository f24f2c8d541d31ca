"""``wardgate proxy --config FILE``: the config is a bundle in a file, which is followed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from wardgate.cli.errors import CommandError
from wardgate.cli.serve.serving import Announcer, RunningProxy, Terminal, running_proxy, stop_signals
from wardgate.proxy.rollout import ConfigRefused
from wardgate.proxy.settings import ProxySettings
from wardgate.standalone.handover.bundle_file import BundleFileError, read_bundle
from wardgate.standalone.scan.listing import list_files
from wardgate.standalone.scan.watcher import Watcher
from wardgate.wire.bundle import Bundle

_STDIN = Path("-")
_AGAIN = 1.0
"""Seconds until a config is offered again that no worker was there to take."""


async def serve_file(config: Path, settings: ProxySettings, *, terminal: Terminal) -> None:
    """Serve the bundle in a file until a signal."""
    watcher = Watcher(lambda: list_files([config]), clock=time.monotonic, sleep=asyncio.sleep)
    first = _read(config)
    async with (
        stop_signals(lambda: terminal.say("stopping; a second Ctrl-C ends at once")) as stopping,
        running_proxy(settings, terminal) as serving,
    ):
        follower = _Follower(config, serving, terminal=terminal)
        if not await follower.take(first, noticed=time.monotonic()):
            msg = "The config cannot be served; see above."
            raise CommandError(msg)
        terminal.unused_ports(settings.ports, follower.ports)
        await serving.until(stopping, following=follower.follow(watcher))


class _Follower:
    """Puts each new bundle in force."""

    def __init__(self, config: Path, serving: RunningProxy, *, terminal: Terminal) -> None:
        self._config = config
        self._serving = serving
        self._terminal = terminal
        self._announcer = Announcer(terminal)
        self._revision = ""
        self._complaint = ""
        self._is_owed = False
        """Whether the last bundle is to be offered again."""
        self.ports: frozenset[int] = frozenset()
        """The ports that the listeners of what is in force ask for."""

    async def take(self, bundle: Bundle, *, noticed: float) -> bool:
        """Put a bundle in force; return whether every listener of it is."""
        if bundle.revision == self._revision:
            return True
        self._revision = bundle.revision
        try:
            in_force = await self._serving.demand(bundle)
        except ConfigRefused as refusal:
            self._is_owed = refusal.again
            self._complain(str(refusal))
            return False
        self._complaint = ""
        self._announcer.announce(in_force, revision=bundle.revision, seconds=time.monotonic() - noticed)
        self.ports = in_force.ports
        return in_force.complete

    async def follow(self, watcher: Watcher) -> None:
        """Take what the file holds after every change, until cancelled."""
        while True:
            await self._read_and_take(noticed=await watcher.changed())
            while self._is_owed:
                await asyncio.sleep(_AGAIN)
                self._revision = ""
                await self._read_and_take(noticed=time.monotonic())

    async def _read_and_take(self, *, noticed: float) -> None:
        self._is_owed = False
        try:
            bundle = _read(self._config)
        except CommandError as error:
            self._complain(error.message)
            return
        await self.take(bundle, noticed=noticed)

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            stays = " What was in force stays." if self.ports else ""
            self._terminal.say(f"error: {complaint}{stays}")
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
