"""Reading one RouteTable, good or bad.

Rule 1: a bad route costs itself: it answers 500, and the others of its table are served (``ROUTE_REPLACEMENT``). That
holds for a mistake in the schema as well: the bad entries are put aside and the rest is read once more.
Rule 2: a route whose *matchers* cannot be read cannot be replaced, because nobody can tell which requests it takes:
the table is marked ``blind``, and its last good form is served where there is one. Where there is none, a matcher
with a readable path counts without the condition that is bad (the route rather answers 500 too often), and one
without takes no request at all: a catch-all would close the routes of others.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Final

from wardgate.api.http_route import HttpRoute
from wardgate.api.route_table import RouteTable, RouteTableSpec
from wardgate.problems import FieldPath, Problem, ProblemKind, Reason, format_path
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.cluster_names import ignored_names
from wardgate.translate.findings import Findings
from wardgate.translate.forms import Parsing, Reading
from wardgate.translate.listening.hosts import normal
from wardgate.translate.manifests import at, labels_of, replaced
from wardgate.translate.parsing import parse_stored
from wardgate.translate.routes.actions import ROUTE_INVALID, ActionReader
from wardgate.translate.routes.matchers import MatcherReader
from wardgate.translate.routes.table_plans import RoutePlan, TablePlan

_HTTP: Final = ("spec", "http")
_DEFAULT: Final = ("spec", "defaultDestination")
_KEPT: Final = ("name", "labels", "matchers")
_CLOSED: Final = {"directResponse": {"status": 500}}
_INSECURE: Final = "insecure-"


def read_table(stored: StoredObject, settings: Settings) -> Reading[TablePlan]:
    """One version of a RouteTable; no value where even the rest of it cannot be read."""
    parsed, problems = parse_stored(stored, RouteTable)
    plan: TablePlan | None = None
    if parsed is not None:
        plan = _Reader(stored, parsed.model.spec, settings).read()
        problems = (*problems, *ignored_names(parsed.model, stored.ref, settings))
    else:
        plan, problems = _without_bad_routes(stored, problems, settings)
    if plan is None:
        return Reading(None, problems)
    problems = (*problems, *plan.problems)
    return Reading(replace(plan, problems=problems), problems)


def _without_bad_routes(
    stored: StoredObject, problems: tuple[Problem, ...], settings: Settings
) -> tuple[TablePlan | None, tuple[Problem, ...]]:
    """The table with its bad routes closed, and all that is wrong with it.

    Mistakes come to light in rounds, types before rules: every round puts at least one more route aside.
    """
    manifest: Mapping[str, object] = stored.manifest
    bad: dict[int, set[str]] = {}
    found = problems
    while new := _bad_routes(found, known=bad):
        for index, fields in new.items():
            bad[index] = fields
            entry = at(manifest, *_HTTP, index)
            kept = {name: at(entry, name) for name in _KEPT if name not in fields}
            manifest = replaced(manifest, (*_HTTP, index), {**kept, **_CLOSED})
        parsed, found = _parse_rest(stored, manifest)
        problems = tuple(dict.fromkeys((*problems, *found)))
        if parsed is not None:
            return _closed(_Reader(stored, parsed.model.spec, settings).read(), bad), problems
    return None, problems


def _parse_rest(stored: StoredObject, manifest: Mapping[str, object]) -> Parsing[RouteTable]:
    """Parse what is left; a default destination that only bad routes would have used may stay in vain."""
    parsed, problems = parse_stored(stored, RouteTable, manifest)
    if parsed is None and at(manifest, *_DEFAULT) is not None:
        without, _ = parse_stored(stored, RouteTable, replaced(manifest, _DEFAULT, None))
        if without is not None:
            return without, without.problems
    return parsed, problems


def _bad_routes(problems: tuple[Problem, ...], *, known: Container[int]) -> Mapping[int, set[str]]:
    """The entries of ``spec.http`` that hold all the errors, each with the names of its bad fields.

    None where an error lies elsewhere, or in an entry that has been put aside already.
    """
    bad: dict[int, set[str]] = {}
    for problem in problems:
        if problem.kind is not ProblemKind.ERROR:
            continue
        index = problem.field[2] if problem.field[:2] == _HTTP and len(problem.field) > 2 else None
        if not isinstance(index, int) or index in known:
            return {}
        bad.setdefault(index, set()).update(str(part) for part in problem.field[3:4])
    return bad


def _closed(plan: TablePlan, bad: Mapping[int, set[str]]) -> TablePlan:
    unknown = {index for index, fields in bad.items() if "matchers" in fields}
    routes = tuple(
        replace(route, action=ROUTE_INVALID) if route.index in bad else route
        for route in plan.routes
        if route.index not in unknown
    )
    return replace(plan, routes=routes, blind=plan.blind or bool(unknown))


class _Reader:
    def __init__(self, stored: StoredObject, spec: RouteTableSpec, settings: Settings) -> None:
        self.stored = stored
        self.ref = stored.ref
        self.spec = spec
        self.settings = settings
        self.findings = Findings()
        self.blind = False
        self.names: set[str] = set()

    def read(self) -> TablePlan:
        self._report_passive()
        read = (self._route(index, route) for index, route in enumerate(self.spec.http))
        routes = tuple(route for route in read if route is not None)
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
            problems=self.findings.of(self.ref),
            blind=self.blind,
        )

    def _route(self, index: int, route: HttpRoute) -> RoutePlan | None:
        field: FieldPath = (*_HTTP, index)
        matching, acting = Findings(), Findings()
        reader = MatcherReader(self.ref, matching)
        matchers = reader.read(route.matchers, (*field, "matchers"))
        self.blind = self.blind or matching.is_invalid(self.ref)
        actions = ActionReader(self.ref, acting, MatcherReader(self.ref, acting), self.spec.default_destination)
        action = actions.read(route, field)
        if matching.is_invalid(self.ref) or acting.is_invalid(self.ref):
            action = ROUTE_INVALID
        self.findings.extend((*matching.all(), *acting.all()))
        name = self._name(index, route.name, field)
        if route.matchers and not matchers:
            return None
        return RoutePlan(index, name, frozenset(route.labels.items()), matchers, action)

    def _name(self, index: int, written: str | None, field: FieldPath) -> str:
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
            self.findings.warning(self.ref, Reason.CONFLICTED, message, path)
        self.names.add(unique)
        return unique

    def _report_passive(self) -> None:
        for name, given in (("tcp", self.spec.tcp), ("tls", self.spec.tls)):
            if given:
                message = f"spec.{name} of {self.ref} is not supported; this gateway forwards HTTP only. Remove it."
                self.findings.error(self.ref, Reason.UNSUPPORTED, message, ("spec", name))
        passive = {
            "workloadSelectors": self.spec.workload_selectors,
            "applyToDestinations": self.spec.apply_to_destinations,
            "portalMetadata": self.spec.portal_metadata,
            "virtualServiceAnnotations": self.spec.virtual_service_annotations,
        }
        for name, value in passive.items():
            if value:
                message = f"spec.{name} of {self.ref} has no effect on this gateway; it may be removed."
                self.findings.warning(self.ref, Reason.NO_EFFECT, message, ("spec", name))
        if self.spec.hosts and not self.spec.virtual_gateways:
            message = f"{self.ref} has hosts but names no gateway in spec.virtualGateways, so it serves nothing here."
            self.findings.warning(self.ref, Reason.NO_EFFECT, message, ("spec", "virtualGateways"))
