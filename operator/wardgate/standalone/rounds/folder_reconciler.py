"""The loop of ``wardgate run``: read the folder, translate, put the config in force, and report.

Level-triggered: each round reads what the folder holds now and compares the outcome with what is in force, so that
nothing depends on having seen every single change. A round that fails to come into force is tried again when the
folder changes next; what was in force stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from wardgate.faults import place_of
from wardgate.problems import Reason
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.findings.tracker import DiagnosticChanges, DiagnosticTracker
from wardgate.standalone.handover.in_force import REVISION_SHOWN, InForce
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder, Scan
from wardgate.wire.bundle import Bundle

Apply: TypeAlias = Callable[[Bundle], Awaitable[InForce]]


class RunReporter(Protocol):
    """The terminal, or whatever else shows a person the course of events."""

    def problems(self, changes: DiagnosticChanges) -> None:
        """Show the problems that have appeared, and those that are gone."""
        ...

    def listeners(self, serving: Mapping[str, str], ended: Mapping[str, str]) -> None:
        """Tell which listeners serve from now on, and which no longer do."""
        ...

    def live(self, *, revision: str, milliseconds: float, objects: int) -> None:
        """Tell that a config is in force, so long after the change was noticed."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """One look at the folder; ``outcome`` is in force unless ``scan`` was not fit to start with."""

    scan: Scan
    outcome: Outcome
    in_force: InForce


class FolderReconciler:
    """``apply`` puts a bundle in force; ``clock`` counts seconds, as the watcher's does."""

    def __init__(
        self, folder: Folder, engine: Engine, *, apply: Apply, reporter: RunReporter, clock: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._apply = apply
        self._reporter = reporter
        self._clock = clock
        self._tracker = DiagnosticTracker()
        self._revision = ""
        self._in_force = InForce({})

    async def reconcile(self, *, noticed: float) -> Round:
        """Do one round. Reading and translating happen on a thread, so that signals and probes are answered."""
        scan, outcome = await asyncio.to_thread(self._read)
        self._tell(outcome)
        if outcome.bundle.revision != self._revision:
            await self._put_in_force(outcome, noticed)
            self._tell(outcome)
        return Round(scan, outcome, self._in_force)

    async def follow(self, changed: Callable[[], Awaitable[float]]) -> None:
        """Do a round after every change, until cancelled. A bug of ours in one round does not end the gateway."""
        while True:
            noticed = await changed()
            try:
                await self.reconcile(noticed=noticed)
            except Exception as error:  # noqa: BLE001 - what is in force must outlive whatever a round runs into
                self._reporter.problems(self._tracker.update([_bug(error)]))

    def _read(self) -> tuple[Scan, Outcome]:
        scan = self._folder.scan()
        return scan, self._engine.take(scan)

    def _tell(self, outcome: Outcome) -> None:
        troubles = [_trouble(text) for text in self._in_force.problems]
        self._reporter.problems(self._tracker.update([*outcome.diagnostics, *troubles]))

    async def _put_in_force(self, outcome: Outcome, noticed: float) -> None:
        before = self._in_force.listeners
        self._in_force = await self._apply(outcome.bundle)
        if self._in_force.refused:
            return  # the next round offers it again
        now = self._in_force.listeners
        self._revision = outcome.bundle.revision
        self._reporter.listeners(
            {name: where for name, where in now.items() if before.get(name) != where},
            {name: where for name, where in before.items() if name not in now},
        )
        self._reporter.live(
            revision=outcome.bundle.revision[:REVISION_SHOWN],
            milliseconds=(self._clock() - noticed) * 1000,
            objects=outcome.objects,
        )


def _bug(error: Exception) -> Diagnostic:
    text = f"Internal error ({place_of(error)}): what was in force stays. Please report this as a bug of Wardgate."
    return _trouble(text)


def _trouble(text: str) -> Diagnostic:
    return Diagnostic("error", "", 0, 0, "", "", Reason.INVALID, text)
