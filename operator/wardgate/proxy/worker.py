"""A worker process, from its first order to its end.

It takes orders over the pipe: settings once, listening sockets, the groups of a config as they change, and a commit
that names which groups make up a revision. A revision is built beside the one being served, bucket by bucket, with a
breath for requests in between, and put into service by setting a pointer. A commit that fails leaves the old one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace

import uvloop

from wardgate.outlet import unblocked_standard_error
from wardgate.proxy import descriptors
from wardgate.proxy.access_log import AccessLog, standard_output
from wardgate.proxy.assembly import Assembly, AssemblyError, Commit
from wardgate.proxy.channel import Channel
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.gateway import Gateway
from wardgate.proxy.lasting import lasting
from wardgate.proxy.settings import ProxySettings, settings_from_json
from wardgate.tasks import spawn
from wardgate.undumpable import make_undumpable
from wardgate.wire.framing import Frame

_TICK = 0.25
"""Seconds between two looks at deadlines; a time-out is late by at most so much."""
_REPORT_EVERY = 4
"""Ticks between two reports to the supervisor."""


class Worker:
    """One process's life: orders in, reports out."""

    def __init__(self, pipe: socket.socket) -> None:
        self._channel = Channel(pipe, on_frame=self._order, on_close=self._orphaned)
        self._counters = Counters()
        self._log: AccessLog | None = None
        self._gateway: Gateway | None = None
        self._assembly = Assembly()
        self._commits: asyncio.Queue[tuple[str, Commit]] = asyncio.Queue()
        self._stopped = asyncio.Event()
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Serve until told to stop. Raises what keeps it from serving anything."""
        self._channel.start()
        self._channel.send("ready")
        spawn(self._apply_commits(), name="commits")
        spawn(self._tick(), name="tick")
        await self._stopped.wait()
        if self._failure is not None:
            raise self._failure
        if self._gateway is not None:
            self._gateway.cut()
        await self._report_all()
        if self._log is not None:
            self._log.close()
        # The last report gets a second to leave: a supervisor that reads nothing must not hold this process up.
        for _ in range(100):
            if self._channel.flushed:
                break
            await asyncio.sleep(0.01)
        self._channel.close()

    def _order(self, frame: Frame, descriptor: int | None) -> None:
        if frame.kind == "settings":
            try:
                self._begin(self._fitted(settings_from_json(frame.payload)))
            except Exception as error:  # noqa: BLE001 - without a gateway it serves nothing, and must not stay
                self._failure = error
                self._stopped.set()
        elif self._failure is not None:
            return
        elif frame.kind == "listen" and descriptor is not None:
            self._serving().add_socket(_integer(frame.header, "port"), socket.socket(fileno=descriptor))
        elif frame.kind == "borrow" and descriptor is not None:
            sock, port = socket.socket(fileno=descriptor), _integer(frame.header, "port")
            spawn(self._serving().borrow_socket(port, sock, owner=_integer(frame.header, "owner")), name="borrow")
        elif frame.kind == "give back":
            spawn(self._serving().give_back(_integer(frame.header, "owner")), name="give back")
        elif frame.kind == "group":
            self._assembly.take(str(frame.header["name"]), str(frame.header["hash"]), data=frame.payload)
        elif frame.kind == "age":
            self._serving().renew(age=_number(frame.header, "seconds"))
        elif frame.kind == "commit":
            groups = frame.header["groups"]
            assert isinstance(groups, dict)
            self._commits.put_nowait((str(frame.header["revision"]), self._assembly.commit(groups)))
        elif frame.kind == "end":
            self._serving().announce_end()
        elif frame.kind == "drain":
            spawn(self._drain(), name="drain")

    def _begin(self, settings: ProxySettings) -> None:
        if settings.access_log:
            self._log = AccessLog(write=standard_output, limit=settings.limits.log_bytes)
            self._log.start()
        self._gateway = Gateway(
            settings,
            counters=self._counters,
            log=self._log,
            report=lambda text: self._channel.send("problem", {"text": text}),
        )

    def _fitted(self, settings: ProxySettings) -> ProxySettings:
        """Bound the settings by what this process may open."""
        limits, told = descriptors.fitted(settings.limits, descriptors=descriptors.limit())
        if told:
            self._channel.send("problem", {"text": told})
        return replace(settings, limits=limits)

    async def _apply_commits(self) -> None:
        while True:
            revision, commit = await self._commits.get()
            try:
                with lasting():
                    config = await self._assembly.build(commit)
                    problems = await self._serving().apply(config)
            except AssemblyError as error:
                self._channel.send("failed", {"revision": revision, "error": str(error)})
                continue
            except Exception as error:  # noqa: BLE001 - the next config must still get through, with its revoked keys
                trouble = f"internal error ({type(error).__name__}); please report this as a bug of Wardgate."
                self._channel.send("failed", {"revision": revision, "error": trouble})
                continue
            self._channel.send(
                "applied", {"revision": revision, "problems": list(problems), "refused_keys": config.refused_keys}
            )
            await self._assembly.forget()

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._serving().context.timeouts.drain):
                await self._serving().drain()
        self._stopped.set()

    async def _tick(self) -> None:
        count = 0
        while not self._stopped.is_set():
            await asyncio.sleep(_TICK)
            count += 1
            if self._gateway is not None:
                self._gateway.tick()
            if self._log is not None:
                self._log.flush()
            if count % _REPORT_EVERY == 0:
                await self._report_all()

    async def _report_all(self) -> None:
        """Report in parts, with a breath for requests in between."""
        self._report()
        while self._counters.is_behind:
            await asyncio.sleep(0)
            self._report()

    def _report(self) -> None:
        if self._log is not None:
            self._counters.log_lines_dropped = self._log.dropped
        self._channel.send("metrics", payload=json.dumps(self._counters.take()).encode())

    def _orphaned(self) -> None:
        """The supervisor is gone: nobody would ever tell this process to stop, or of a revoked key."""
        self._stopped.set()

    def _serving(self) -> Gateway:
        assert self._gateway is not None, "The settings come first."
        return self._gateway


def _integer(header: Mapping[str, object], name: str) -> int:
    value = header[name]
    assert isinstance(value, int)
    return value


def _number(header: Mapping[str, object], name: str) -> float:
    value = header[name]
    assert isinstance(value, int | float)
    return value


async def _main(pipe: socket.socket) -> None:
    # The supervisor decides when to stop; a Ctrl-C at the terminal, or the SIGTERM of a process manager, reaches every
    # process of the group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    descriptors.raise_limit()
    make_undumpable()
    with unblocked_standard_error(coloured=False):
        await Worker(pipe).run()


def serve(pipe: socket.socket) -> None:
    """Serve the supervisor at the other end of the pipe. Raises what keeps the worker from serving anything."""
    uvloop.run(_main(pipe))
