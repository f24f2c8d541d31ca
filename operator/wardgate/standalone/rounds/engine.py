"""From a scan to a configuration and to the diagnostics of its files, for all local commands. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from wardgate.ir import GatewayConfig
from wardgate.problems import Cause, ProblemKind, Reason
from wardgate.renderer import Renderer
from wardgate.settings import Settings
from wardgate.standalone.findings.cause_groups import Finding, grouped_by_cause
from wardgate.standalone.findings.diagnostics import Diagnostic, from_problem
from wardgate.standalone.scan.folder import Scan
from wardgate.store import Store
from wardgate.translate.statuses.object_status import Statuses
from wardgate.wire.bundle import Bundle

_NO_MANIFEST: Final = Cause("documents that are no manifests")
_LAST_GOOD: Final = "Until then its last good form is served."


@dataclass(frozen=True, slots=True)
class Outcome:
    """``diagnostics`` holds those of reading and those of translating, by place, one for each cause."""

    config: GatewayConfig
    bundle: Bundle
    diagnostics: tuple[Diagnostic, ...]
    objects: int


class Engine:
    """Owned by one task, as the store is."""

    def __init__(self, settings: Settings) -> None:
        self._store = Store()
        self._renderer = Renderer(settings)

    def take(self, scan: Scan) -> Outcome:
        """Translate a scan. Equal objects give equal bytes, and cost little."""
        for kind, objects in scan.objects.items():
            self._store.replace(kind, objects, as_of=scan.serial)
        rendered = self._renderer.render(self._store.freeze())
        found = _diagnose(rendered.translation.statuses, scan)
        return Outcome(
            config=rendered.translation.config,
            bundle=rendered.bundle,
            diagnostics=grouped_by_cause([*map(_told, scan.diagnostics), *found]),
            objects=scan.count,
        )


def _told(one: Diagnostic) -> Finding:
    """Documents that are no manifests are told once, however many such documents there are."""
    return Finding(one, cause=_NO_MANIFEST if one.severity == "note" and one.reason is Reason.UNREADABLE else None)


def _diagnose(statuses: Statuses, scan: Scan) -> list[Finding]:
    kept = {one.ref for one in statuses if one.served_generation not in {None, one.generation}}
    found = []
    for problem in statuses.problems:
        if scan.is_placeholder(problem.ref):
            continue  # what is wrong with it was found when it was read
        diagnostic = from_problem(problem, scan.locate)
        if problem.ref in kept and problem.kind is ProblemKind.ERROR:
            diagnostic = replace(diagnostic, remedy=_LAST_GOOD)
        found.append(Finding(diagnostic, problem.field, problem.cause))
    return found
