"""How a fault test ends what the installation started: at once, as a node that dies does, or for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from examples.demo.processes import Program
from tests.e2e.installation import Installation, Operator, Proxy

GONE_SECONDS = 10.0


def kill(program: Program) -> None:
    """Kill a program and its children, which are a process group of its own."""
    os.killpg(program.process_id, signal.SIGKILL)
    program.wait(seconds=GONE_SECONDS)


def kill_proxy(installation: Installation, proxy: Proxy) -> None:
    """Kill a proxy, and expect nothing of it any more."""
    kill(proxy.program)
    installation.proxies.remove(proxy)


def kill_leader(installation: Installation, operator: Operator) -> None:
    """Kill the operator that leads, and let the next one lead at once: ten seconds of waiting prove nothing here."""
    kill(operator.program)
    installation.cluster.delete("Lease", f"{installation.release}-operator", namespace=installation.namespace)


@contextmanager
def suspended(operator: Operator) -> Iterator[None]:
    """Let an operator stand still for the time of a block: the world goes on, and it does not know."""
    operator.program.send(signal.SIGSTOP)
    try:
        yield
    finally:
        operator.program.send(signal.SIGCONT)
