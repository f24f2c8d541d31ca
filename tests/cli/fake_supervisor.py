"""Stands in for the supervisor and its processes: remembers what it was told, and lets a test act in between."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from wardgate.proxy.rollout import ConfigRefused
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError
from wardgate.proxy.supervisor import Applied, BoundListener
from wardgate.wire.bundle import ROUTES, Bundle
from wardgate.wire.decode import decode_routes
from wardgate.wire.delivery import Delivery


class FakeSupervisor:
    """``steps``: what happens after each config that is applied; after the last one ``last_signal`` arrives.

    ``in_the_delay``: what happens when callers are still served after the signal; the delay lasts until another config.
    """

    steps: list[Callable[[], object]]
    made: FakeSupervisor
    last_signal = signal.SIGTERM
    in_the_delay: Callable[[], object] | None = None
    refuse_start = ""
    refuse_config = False
    busy_ports: frozenset[int] = frozenset()
    problems: tuple[str, ...] = ()

    def __init__(self, settings: ProxySettings, *, announce: Callable[[str], None]) -> None:
        type(self).made = self
        self.settings = settings
        self.announce = announce
        self.bundles: list[Bundle] = []
        self.stopped: list[bool] = []
        """Whether it had patience, for each time that it was stopped."""
        self.admin_address = settings.admin
        self.ages: list[float] = []
        self.delivery: Callable[[], Delivery] | None = None

    async def start(self) -> None:
        if self.refuse_start:
            raise BindError(self.refuse_start)

    def follow(self, delivery: Callable[[], Delivery]) -> None:
        self.delivery = delivery

    def tell_age(self) -> None:
        assert self.delivery is not None
        self.ages.append(self.delivery().age)

    async def apply(self, bundle: Bundle) -> Applied:
        if type(self).refuse_config:
            message = "The config cannot be read."
            raise ConfigRefused(message)
        self.bundles.append(bundle)
        mapped = dict(self.settings.ports)
        asked = decode_routes(bundle.groups[ROUTES]).config.listeners
        listeners = tuple(
            BoundListener(one.name, one.port, f"127.0.0.1:{mapped.get(one.port, one.port)}", one.tls is not None)
            for one in asked
            if one.port not in self.busy_ports
        )
        busy = tuple(f"Port {port} is in use; try --port {port}=8080." for port in sorted(self.busy_ports))
        self.act()
        ports = {one.name: one.port for one in asked}
        return Applied(bundle.revision, ports, listeners, (*self.problems, *busy))

    def act(self) -> None:
        if self.steps:
            self.steps.pop(0)()
        else:
            os.kill(os.getpid(), self.last_signal)

    async def stop(self, *, patient: bool = False) -> None:
        self.stopped.append(patient)
        act = type(self).in_the_delay
        if patient and act is not None:
            applied = len(self.bundles)
            act()
            async with asyncio.timeout(60):
                while len(self.bundles) == applied:  # noqa: ASYNC110 - whoever applies it knows of no event
                    await asyncio.sleep(0.01)
