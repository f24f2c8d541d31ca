"""The supervisor's hold on one worker: the process, the pipe to it, and what it has been told and has said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wardgate.proxy.channel import Channel
from wardgate.proxy.settings import ProxySettings, settings_to_json
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle
from wardgate.wire.framing import Frame


@dataclass(frozen=True, slots=True)
class ConfigAnswer:
    """The answer of a worker to a bundle. One that neither serves nor refuses it has ended, or says nothing."""

    problems: tuple[str, ...] = ()
    serves: bool = False
    refused: bool = False
    """It lives, and cannot serve the bundle."""
    ending: str = ""
    """A sentence on how the worker ended."""


class WorkerProcess:
    """``on_metrics(number, counts)`` gets every report of the worker, ``on_problem`` what it complains of."""

    def __init__(
        self,
        number: int,
        *,
        on_metrics: Callable[[int, Mapping[str, object]], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self.number = number
        self.revision = ""
        """The one that the worker has said it serves; empty before the first."""
        self.refused_keys = 0
        """Keys of that revision that it left out."""
        self.ready = False
        """Whether the worker has said its first word."""
        self.last_word = self.started_at = time.monotonic()
        self._on_metrics = on_metrics
        self._on_problem = on_problem
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._has_hung_up = False
        self._held: dict[str, str] = {}
        self._awaited: dict[str, asyncio.Future[ConfigAnswer]] = {}
        self.offered = ""
        """The revision that it was handed last."""
        self.refused = ""
        """The revision that it has said it cannot serve, until it serves one."""
        self.last_words = ""
        """The reason why it ends, if it could tell."""

    async def start(self, settings: ProxySettings) -> None:
        """Start the process and tell it the settings."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "wardgate.proxy.worker_start", str(theirs.fileno()), pass_fds=(theirs.fileno(),)
            )
        self.last_word = self.started_at = time.monotonic()
        self._channel = Channel(ours, on_frame=self._heard, on_close=self._hung_up)
        self._channel.start()
        self._channel.send("settings", payload=settings_to_json(settings))

    def listen(self, port: int, sock: socket.socket) -> None:
        """Hand over a listening socket; the supervisor's copy stays open."""
        if self._channel is not None:
            self._channel.send("listen", {"port": port}, descriptor=sock.fileno())

    def borrow(self, port: int, sock: socket.socket, *, owner: int) -> None:
        """Have the worker serve the socket of another one, too."""
        if self._channel is not None:
            self._channel.send("borrow", {"port": port, "owner": owner}, descriptor=sock.fileno())

    def give_back(self, owner: int) -> None:
        """Have the worker leave the sockets of another one."""
        if self._channel is not None:
            self._channel.send("give back", {"owner": owner})

    def tell_age(self, age: float) -> None:
        """Tell how many seconds ago the config was confirmed. A worker that was never told takes it as too old."""
        if self._channel is not None and age < float("inf"):
            self._channel.send("age", {"seconds": age})

    async def hand_over(self, bundle: Bundle, *, within: float) -> ConfigAnswer:
        """Send what of a bundle the worker does not hold yet; return its answer within so many seconds."""
        self.offered = bundle.revision
        if self._channel is None or self._has_hung_up:
            return self._ended()
        for name, group_hash in bundle.hashes.items():
            if self._held.get(name) != group_hash:
                self._channel.send("group", {"name": name, "hash": group_hash}, payload=bundle.groups[name])
        self._held = dict(bundle.hashes)
        done = self._awaited.setdefault(bundle.revision, asyncio.get_running_loop().create_future())
        self._channel.send("commit", {"revision": bundle.revision, "groups": dict(bundle.hashes)})
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(done)
        except TimeoutError:
            return ConfigAnswer((f"Worker {self.number} did not take the config within {within:.0f} s.",))

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def listens(self) -> bool:
        """Whether the process has said its first word and holds the pipe: it takes orders."""
        return self.ready and self.is_alive and not self._has_hung_up

    @property
    def serves(self) -> bool:
        """Whether the process runs, with a config in force."""
        return self.is_alive and bool(self.revision)

    @property
    def served_revision(self) -> str:
        """The one that it serves at this moment; empty for a worker that has ended, too."""
        return self.revision if self.is_alive else ""

    async def gone(self) -> int:
        """Wait for the end of the process; return its exit status."""
        assert self._process is not None
        return await self._process.wait()

    @property
    def obituary(self) -> str:
        """``Worker 0 ended with status 1 (ImportError: ...)``."""
        code = self._process.returncode if self._process is not None else None
        status = "" if code is None else f" with status {code}"
        return f"Worker {self.number} ended{status}{f' ({self.last_words})' if self.last_words else ''}"

    def announce_end(self) -> None:
        """Tell the worker that this process ends soon: its responses close their connections."""
        if self._channel is not None:
            self._channel.send("end")

    async def stop(self, *, within: float) -> None:
        """Ask the worker to finish and end; after ``within`` seconds it is ended."""
        if self._process is None or self._channel is None:
            return
        self._channel.send("drain")
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def hang_up(self) -> None:
        """Close the pipe; a worker takes that as the end of its supervisor, and ends."""
        if self._channel is not None:
            self._channel.close()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _heard(self, frame: Frame, _: int | None) -> None:
        self.last_word = time.monotonic()
        self.ready = True
        if frame.kind == "metrics":
            self._on_metrics(self.number, json.loads(frame.payload))
        elif frame.kind == "problem":
            self._on_problem(str(frame.header["text"]))
        elif frame.kind == "applied":
            self.revision, self.refused = str(frame.header["revision"]), ""
            problems, refused = frame.header["problems"], frame.header["refused_keys"]
            assert isinstance(problems, list)
            assert isinstance(refused, int)
            self.refused_keys = refused
            self._settle(self.revision, ConfigAnswer(tuple(map(str, problems)), serves=True))
        elif frame.kind == "failed":
            # Which groups the worker kept is not known, so all of them go with the next bundle.
            self._held = {}
            self.refused = str(frame.header["revision"])
            text = f"Worker {self.number} could not take the config: {frame.header['error']}"
            self._settle(self.refused, ConfigAnswer((text,), refused=True))
        elif frame.kind == "last words":
            self.last_words = str(frame.header["text"])

    def _settle(self, revision: str, outcome: ConfigAnswer) -> None:
        done = self._awaited.pop(revision, None)
        if done is not None and not done.done():
            done.set_result(outcome)

    def _ended(self) -> ConfigAnswer:
        return ConfigAnswer(ending=f"{self.obituary}.")

    def _hung_up(self) -> None:
        self._has_hung_up = True
        for revision in list(self._awaited):
            self._settle(revision, self._ended())
        # A pipe that closes before its process has ended: the process may be on its way out, or stuck.
        if self._process is not None and self._process.returncode is None:
            spawn(self._end_if_alive(), name=f"end worker {self.number}")

    async def _end_if_alive(self) -> None:
        """A worker that closed its end of the pipe is on its way out; make sure."""
        await asyncio.sleep(1.0)
        self.kill()
