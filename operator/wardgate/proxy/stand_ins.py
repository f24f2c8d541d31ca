"""Workers that serve the sockets of another one, which is stuck or gone, until it or its successor serves them.

Each worker has sockets of its own, over which the kernel spreads connections. Those that it spreads to a worker that
accepts none would wait: for the successor's start, or for as long as a stuck worker is given.
"""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.proxy.sockets import BoundPort
from wardgate.proxy.worker_process import WorkerProcess


class StandIns:
    """``workers`` by number, ``ports`` by number; both are the supervisor's and change."""

    def __init__(self, *, workers: Mapping[int, WorkerProcess], ports: Mapping[int, BoundPort]) -> None:
        self._workers = workers
        self._ports = ports
        self._for: dict[int, list[WorkerProcess]] = {}

    def begin(self, number: int) -> None:
        """Have the other workers serve this one's sockets; to be said again as long as it is so."""
        standing = self._for.setdefault(number, [])
        for other, worker in self._workers.items():
            if other != number and worker.serves and worker not in standing:
                standing.append(worker)
                for bound in self._ports.values():
                    _borrow(worker, bound, owner=number)

    def take_over(self, bound: BoundPort) -> None:
        """Have the sockets of a new port served too."""
        for number, standing in self._for.items():
            for worker in standing:
                _borrow(worker, bound, owner=number)

    def end(self, number: int) -> None:
        """The worker serves its sockets itself."""
        for worker in self._for.pop(number, ()):
            worker.give_back(number)


def _borrow(worker: WorkerProcess, bound: BoundPort, *, owner: int) -> None:
    for sock in bound.sockets[owner]:
        worker.borrow(bound.port, sock, owner=owner)
