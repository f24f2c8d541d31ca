"""The proxy inside a command: started, fed, announced and drained. The one place that knows the supervisor.

News for a person go to standard error, one line each; standard output belongs to the access log.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from wardgate.cli.console import Printer
from wardgate.cli.errors import CommandError
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError
from wardgate.proxy.supervisor import ConfigRefused, Supervisor
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
    """A running proxy. A bundle that it cannot read leaves what is in force."""

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

    async def apply(self, bundle: Bundle) -> InForce:
        """Put a bundle in force on every worker."""
        try:
            return await self.demand(bundle)
        except ConfigRefused as refusal:
            return InForce(self._listeners, (str(refusal),), complete=False)

    async def demand(self, bundle: Bundle) -> InForce:
        """Put a bundle in force on every worker. Raises ``ConfigRefused`` where it cannot be read."""
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


@asynccontextmanager
async def stop_signals(on_stop: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
    """Set the event at the first SIGINT or SIGTERM; a second one ends the process at once, as ever."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        on_stop()
        stopping.set()

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield stopping
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
