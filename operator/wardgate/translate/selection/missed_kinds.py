"""Selectors of destinations that select nothing because their kind is that of Services.

``kind`` is SERVICE by default, so ``withDestinations: {selector: {name: llm}}`` passes over the ExternalService
``llm``. A guard with other selectors beside it would not mention the route that stays open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wardgate.problems import ObjectRef, Reason
from wardgate.translate.findings import Findings
from wardgate.translate.selection.policy_selectors import DestinationCriteria, Selectors
from wardgate.translate.selection.route_finder import RouteFinder


def report_missed_kinds(
    ref: ObjectRef, selectors: Selectors, *, finder: RouteFinder, within: str | None, findings: Findings
) -> None:
    """Warn where a selector would select routes if it meant ExternalServices."""
    for selector in _of_services(selectors):
        external = replace(selector, kind="EXTERNAL_SERVICE")
        if not _selects(selector, finder, within=within) and _selects(external, finder, within=within):
            message = (
                f"{ref} selects destinations of kind SERVICE, and only ExternalServices are like that, so their routes "
                "are not selected. Write kind: EXTERNAL_SERVICE in the selector."
            )
            findings.warning(ref, Reason.NO_ROUTES, message=message, field=("spec",))


def _of_services(selectors: Selectors) -> Iterator[DestinationCriteria]:
    for selector in (*selectors.routes, *selectors.destinations):
        if isinstance(selector, DestinationCriteria) and selector.kind == "SERVICE":
            yield selector


def _selects(selector: DestinationCriteria, finder: RouteFinder, *, within: str | None) -> bool:
    return bool(finder.by_policy(Selectors(destinations=(selector,)), within=within, restricts=True))
