"""The proxy inside a command: started, fed, announced and drained. The one place that knows the supervisor.

News for a person go to standard error, one line each; standard output belongs to the access log.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager

from wardgate.cli.console import Printer
from wardgate.cli.errors import CommandError
from wardgate.proxy.rollout import ConfigRefused
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError
from wardgate.proxy.supervisor import Supervisor
from wardgate.standalone.handover.in_force import REVISION_SHOWN, InForce
from wardgate.wire.bundle import Bundle
from wardgate.wire.delivery import Delivery


class Terminal:
    """Tells the person at the terminal what becomes of the proxy."""

    def __init__(self, printer: Printer | None = None) -> None:
        self.printer = printer or Printer(sys.stderr)

    def say(self, text: str) -> None:
        """Print one line."""
        self.printer.line(text)

    def listeners(self, serving: Mapping[str, str], ended: Mapping[str, str]) -> None:
        """Print a line for each listener that began or ended."""
        for name, where in serving.items():
            self.printer.line(f"listener {name} serves at {where}", colour="green")
        for name, where in ended.items():
            self.printer.line(f"listener {name} no longer serves at {where}", colour="yellow")

    def unused_ports(self, mapped: Sequence[tuple[int, int]], there: Collection[int]) -> None:
        """Print a warning for each ``--port`` that is no port of a listener; without any listener all wait for one."""
        for port, bound in mapped:
            if there and port not in there:
                ports = ", ".join(map(str, sorted(there)))
                self.printer.line(
                    f"warning: --port {port}={bound} has no effect: no listener has port {port}, only {ports}.",
                    colour="yellow",
                )

    def live(self, *, revision: str, milliseconds: float, objects: int) -> None:
        """Print that a config is in force."""
        self.printer.line(f"config {revision} live in {milliseconds:.0f} ms: {objects} objects")


class RunningProxy:
    """A running proxy. A bundle that it cannot serve leaves what is in force."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._listeners: Mapping[str, str] = {}

    @property
    def admin(self) -> str:
        """Where the admin endpoints are; empty if there are none."""
        return self._supervisor.admin_address

    def follow(self, delivery: Callable[[], Delivery]) -> None:
        """Show at the admin endpoints how configs arrive, and follow their age."""
        self._supervisor.follow(delivery)

    def tell_age(self) -> None:
        """The age of what is in force has changed."""
        self._supervisor.tell_age()

    async def until(self, stopping: Stopping, *, following: Coroutine[object, object, None]) -> None:
        """Follow configs until a signal, and on to the end: a key may be revoked while callers are still served."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(following, name="follow the config")
            await stopping.wait()
            await self._supervisor.stop(patient=stopping.patient)
            task.cancel()

    async def apply(self, bundle: Bundle) -> InForce:
        """Put a bundle in force on every worker."""
        try:
            return await self.demand(bundle)
        except ConfigRefused as refusal:
            return InForce(self._listeners, (str(refusal),), complete=False, refused=True)

    async def demand(self, bundle: Bundle) -> InForce:
        """Put a bundle in force on every worker. Raises ``ConfigRefused`` where none can serve it."""
        applied = await self._supervisor.apply(bundle)
        self._listeners = {one.name: f"{'https' if one.tls else 'http'}://{one.address}" for one in applied.listeners}
        complete = not applied.problems or self._listeners.keys() >= applied.asked.keys()
        return InForce(self._listeners, applied.problems, complete, frozenset(applied.asked.values()))


class Announcer:
    """Tells what came of each config: problems once, listeners that came and went, and how long it took."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._in_force = InForce({})

    def announce(self, in_force: InForce, *, revision: str, seconds: float) -> None:
        """Tell what is different from the last time."""
        before, self._in_force = self._in_force, in_force
        for problem in in_force.problems:
            if problem not in before.problems:
                self._terminal.say(f"error: {problem}")
        self._terminal.listeners(
            {name: where for name, where in in_force.listeners.items() if before.listeners.get(name) != where},
            {name: where for name, where in before.listeners.items() if name not in in_force.listeners},
        )
        self._terminal.say(f"config {revision[:REVISION_SHOWN]} live in {seconds * 1000:.0f} ms")


@asynccontextmanager
async def running_proxy(settings: ProxySettings, terminal: Terminal) -> AsyncIterator[RunningProxy]:
    """Run a proxy for the time of the block; at its end, let what is in flight finish."""
    supervisor = Supervisor(settings, announce=terminal.say)
    try:
        await supervisor.start()
        yield RunningProxy(supervisor)
    except BindError as error:
        raise CommandError(str(error)) from error
    finally:
        await supervisor.stop()


class Stopping(asyncio.Event):
    """Set by the signal to stop. ``patient``: it was SIGTERM, and whoever sent it may go on sending callers."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        super().__init__()
        self.patient = False
        self._on_stop = on_stop

    def interrupted(self) -> None:
        """Ctrl-C was pressed; the next time it ends the process at once, as ever."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        self._on_stop()
        self.set()

    def terminated(self) -> None:
        """SIGTERM came; a second one changes nothing: a ``preStop`` hook may have sent the first."""
        if not self.is_set():
            self.patient = True
            self.interrupted()


@asynccontextmanager
async def stop_signals(on_stop: Callable[[], None]) -> AsyncIterator[Stopping]:
    """Take the first SIGINT or SIGTERM as a word to stop. Once it came, one more Ctrl-C ends the process at once."""
    loop = asyncio.get_running_loop()
    stopping = Stopping(on_stop)
    loop.add_signal_handler(signal.SIGINT, stopping.interrupted)
    loop.add_signal_handler(signal.SIGTERM, stopping.terminated)
    try:
        yield stopping
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
