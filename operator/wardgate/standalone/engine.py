"""From a scan to a configuration: store, translate, encode. No I/O; the one pipeline of ``run``, ``check``, ``render``.

What outlives one round is kept here: the store, the memo, the last good forms and the encoded groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from wardgate.ir import GatewayConfig
from wardgate.problems import ProblemKind
from wardgate.settings import Settings
from wardgate.standalone.diagnostics import Diagnostic, from_problem
from wardgate.standalone.folder import Scan
from wardgate.store import Store
from wardgate.translate.forms import LastGood
from wardgate.translate.memo import Memo
from wardgate.translate.pipeline import translate
from wardgate.translate.statuses import Statuses
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import Encoder

_LAST_GOOD: Final = "Until then its last good form is served."


@dataclass(frozen=True, slots=True)
class Outcome:
    """``diagnostics`` holds those of reading and those of translating, by place."""

    config: GatewayConfig
    bundle: Bundle
    diagnostics: tuple[Diagnostic, ...]
    objects: int


class Engine:
    """Owned by one task, as the store is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store()
        self._memo = Memo()
        self._last_good: LastGood = {}
        self._encoder = Encoder()

    def take(self, scan: Scan) -> Outcome:
        """Translate what a scan found. Equal objects give equal bytes, and cost little."""
        for kind, objects in scan.objects.items():
            self._store.replace(kind, objects, as_of=scan.serial)
        translation = translate(self._store.freeze(), self._settings, self._last_good, memo=self._memo)
        self._last_good = translation.last_good
        found = _diagnose(translation.statuses, scan)
        return Outcome(
            config=translation.config,
            bundle=self._encoder.encode(translation.config),
            diagnostics=tuple(sorted([*scan.diagnostics, *found], key=lambda one: one.order)),
            objects=scan.count,
        )


def _diagnose(statuses: Statuses, scan: Scan) -> list[Diagnostic]:
    kept = {one.ref for one in statuses if one.served_generation not in {None, one.generation}}
    return [
        replace(diagnostic, remedy=_LAST_GOOD)
        if problem.ref in kept and problem.kind is ProblemKind.ERROR
        else diagnostic
        for problem in statuses.problems
        for diagnostic in [from_problem(problem, scan.locate)]
    ]
