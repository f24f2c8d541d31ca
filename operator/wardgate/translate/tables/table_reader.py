"""Reads one RouteTable, good or bad.

Rule 1: a bad route costs itself: it answers 500, and the others of its table are served (``ROUTE_REPLACEMENT``). The
same holds for a mistake in the schema: bad entries are put aside and the rest is read once more.
Rule 2: a matcher that cannot be read closes. It is widened to its readable part, and every request that it then takes
is answered 500. The good matchers of its route go on serving. The table is marked ``blind``, and its last good form is
served if there is one.
Rule 3: a table whose routes cannot even be told apart is one closed route, under its hosts or its parents' matchers:
nobody else's route may answer in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from wardgate.api.kinds.annotations import DELEGATE_FROM, is_namespace, parse_list
from wardgate.api.kinds.http_route import HttpRoute
from wardgate.api.kinds.route_table import RouteTable, RouteTableSpec
from wardgate.problems import Cause, FieldPath, Problem, Reason, format_path
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import at, labels_of
from wardgate.translate.matching.host_names import normal
from wardgate.translate.matching.matcher_reader import MatcherReader
from wardgate.translate.plans.table_plans import MatcherPlan, RoutePlan, TablePlan, Widening
from wardgate.translate.reading.cluster_names import ignored_names
from wardgate.translate.reading.last_good import Reading
from wardgate.translate.reading.parsing import parse_stored
from wardgate.translate.tables.actions import ROUTE_INVALID, ActionReader
from wardgate.translate.tables.table_repair import (
    MAX_ROUNDS,
    Repair,
    readable_gateways,
    readable_hosts,
    readable_weight,
)

_HTTP: Final = ("spec", "http")
_ANNOTATIONS: Final = ("metadata", "annotations")
_INSECURE: Final = "insecure-"
_WIDENINGS: Final = tuple(Widening)
"""The worst last."""


def read_table(stored: StoredObject, settings: Settings) -> Reading[TablePlan]:
    """One version of a RouteTable; no value where nobody can tell which requests it would close."""
    parsed, problems = parse_stored(stored, RouteTable)
    plan: TablePlan | None = None
    if parsed is not None:
        plan = _RouteTableReader(stored, parsed.model.spec, settings=settings, repair=Repair(stored.manifest)).read()
        problems = (*problems, *ignored_names(parsed.model, stored.ref, settings=settings))
    else:
        plan, problems = _repaired(stored, problems, settings=settings)
    if plan is None:
        return Reading(None, problems)
    problems = (*problems, *plan.problems)
    return Reading(replace(plan, problems=problems), problems)


def _repaired(
    stored: StoredObject, problems: tuple[Problem, ...], *, settings: Settings
) -> tuple[TablePlan | None, tuple[Problem, ...]]:
    """The table with its bad parts closed, and all its problems."""
    repair = Repair(stored.manifest)
    found = problems
    for _ in range(MAX_ROUNDS):
        if not repair.mend(found):
            break
        parsed, found = parse_stored(stored, RouteTable, manifest=repair.manifest)
        problems = tuple(dict.fromkeys((*problems, *found)))
        # A repair that took out every host would make a child of a root.
        if parsed is not None and (parsed.model.spec.hosts or not _has_hosts(stored)):
            return _RouteTableReader(stored, parsed.model.spec, settings=settings, repair=repair).read(), problems
    return _closed_table(stored), problems


def _closed_table(stored: StoredObject) -> TablePlan | None:
    """One closed route for every request that the table may mean; None where its hosts or its kind cannot be read."""
    manifest = stored.manifest
    hosts = tuple(readable_hosts(manifest))
    if manifest.get("kind") != stored.ref.kind or (_has_hosts(stored) and not hosts):
        return None
    return TablePlan(
        stored=stored,
        labels=frozenset(labels_of(manifest).items()),
        hosts=hosts,
        gateways=tuple(readable_gateways(manifest, stored.ref.namespace)),
        weight=readable_weight(manifest),
        freezes=at(manifest, "spec", "failureMode") == "FREEZE_CONFIG",
        routes=(RoutePlan(0, "closed", frozenset(), (), ROUTE_INVALID, Widening.PATH),),
        admits=frozenset(filter(is_namespace, _admitted(manifest))),
        blind=True,
    )


def _admitted(manifest: Mapping[str, object]) -> tuple[str, ...]:
    given = at(manifest, *_ANNOTATIONS, DELEGATE_FROM)
    return parse_list(given) if isinstance(given, str) else ()


def _has_hosts(stored: StoredObject) -> bool:
    return bool(at(stored.manifest, "spec", "hosts"))


class _RouteTableReader:
    def __init__(self, stored: StoredObject, spec: RouteTableSpec, *, settings: Settings, repair: Repair) -> None:
        self.stored = stored
        self.ref = stored.ref
        self.spec = spec
        self.settings = settings
        self.findings = Findings()
        self.repair = repair
        self.blind = repair.impaired or bool(repair.widened)
        self.names: set[str] = set()

    def read(self) -> TablePlan:
        self._report_passive()
        routes = tuple(plan for index, route in enumerate(self.spec.http) for plan in self._route(index, route))
        return TablePlan(
            stored=self.stored,
            labels=frozenset(labels_of(self.stored.manifest).items()),
            hosts=tuple(dict.fromkeys(normal(host) for host in self.spec.hosts)),
            gateways=tuple(
                dict.fromkeys((one.namespace or self.ref.namespace, one.name) for one in self.spec.virtual_gateways)
            ),
            weight=self.spec.weight,
            freezes=self.spec.failure_mode == "FREEZE_CONFIG",
            routes=routes,
            admits=self._admits(),
            problems=self.findings.of(self.ref),
            blind=self.blind,
            for_mesh=bool(self.spec.workload_selectors),
        )

    def _admits(self) -> frozenset[str]:
        """The namespaces whose tables may delegate here. An entry that is no namespace lets nobody in."""
        names = _admitted(self.stored.manifest)
        wrong = [name for name in names if not is_namespace(name)]
        if wrong:
            message = (
                f"{self.ref} lists {wrong[0]!a} in its annotation {DELEGATE_FROM}, which is not the name of a "
                "namespace and lets nobody in. List namespaces, separated by commas."
            )
            self.findings.warning(self.ref, Reason.NO_EFFECT, message=message, field=(*_ANNOTATIONS, DELEGATE_FROM))
        return frozenset(names).difference(wrong)

    def _route(self, index: int, route: HttpRoute) -> list[RoutePlan]:
        """The route with its good matchers, followed by a closed route for those that could be read in part only."""
        field: FieldPath = (*_HTTP, index)
        matching, acting = Findings(), Findings()
        matchers = MatcherReader(self.ref, matching).read(route.matchers, (*field, "matchers"))
        self.blind = self.blind or matching.is_invalid(self.ref)
        actions = ActionReader(self.ref, acting, MatcherReader(self.ref, acting), self.spec.default_destination)
        action = actions.read(route, field)
        if index in self.repair.closed or acting.is_invalid(self.ref):
            action = ROUTE_INVALID
        self.findings.extend((*matching.all(), *acting.all()))
        whole = RoutePlan(
            index, self._name(index, route.name, field=field), frozenset(route.labels.items()), matchers, action
        )
        return self._split(whole)

    def _split(self, route: RoutePlan) -> list[RoutePlan]:
        """The readable part of the route, and the parts that may only close."""
        if route.index in self.repair.shapeless:
            return [replace(route, widened=Widening.PATH)]
        by_widening: dict[Widening, list[MatcherPlan]] = {}
        repaired = self.repair.widened.get(route.index, {})
        for number, one in enumerate(route.matchers):
            widening = max(one.widened, repaired.get(number, Widening.NONE), key=_WIDENINGS.index)
            by_widening.setdefault(widening, []).append(one)
        good = by_widening.pop(Widening.NONE, [])
        plans = [replace(route, matchers=tuple(good))] if good or not by_widening else []
        for widening, matchers in sorted(by_widening.items()):
            plans.append(replace(route, matchers=tuple(matchers), action=ROUTE_INVALID, widened=widening))
        return plans

    def _name(self, index: int, written: str | None, *, field: FieldPath) -> str:
        """A name that no other route of the table has."""
        name = (written or "").removeprefix(_INSECURE) or f"route-{index}"
        unique, count = name, 0
        while unique in self.names:
            count += 1
            unique = f"duplicate-{name}-{count}"
        if count:
            path = (*field, "name")
            message = (
                f'{format_path(path)} of {self.ref} is taken; the route is called "{unique}". Choose another name.'
            )
            self.findings.warning(self.ref, Reason.CONFLICTED, message=message, field=path)
        self.names.add(unique)
        return unique

    def _report_passive(self) -> None:
        for name, given in (("tcp", self.spec.tcp), ("tls", self.spec.tls)):
            if given:
                remedy = "Remove it." if self.spec.http else "Delete the table, or give it routes under http instead."
                message = f"spec.{name} of {self.ref} is not supported; this gateway forwards HTTP only. {remedy}"
                self.findings.error(self.ref, Reason.UNSUPPORTED, message=message, field=("spec", name))
        passive = {
            "workloadSelectors": self.spec.workload_selectors,
            "applyToDestinations": self.spec.apply_to_destinations,
            "portalMetadata": self.spec.portal_metadata,
            "virtualServiceAnnotations": self.spec.virtual_service_annotations,
        }
        for name, value in passive.items():
            if value:
                message = f"spec.{name} of {self.ref} has no effect on this gateway."
                self.findings.note(self.ref, Reason.NO_EFFECT, message=message, field=("spec", name), cause=Cause(name))
        if self.spec.hosts and not self.spec.virtual_gateways:
            self._report_rootless()

    def _report_rootless(self) -> None:
        message = f"{self.ref} has hosts but names no gateway in spec.virtualGateways, so it serves nothing here"
        field = ("spec", "virtualGateways")
        if self.spec.workload_selectors:
            mesh = Cause("workloadSelectors of a table without a gateway")
            self.findings.note(
                self.ref, Reason.NOT_SERVED, message=f"{message}: it is for a mesh.", field=field, cause=mesh
            )
        else:
            self.findings.warning(self.ref, Reason.NOT_SERVED, message=f"{message}. Name one.", field=field)
