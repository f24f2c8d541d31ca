"""Parts that a table takes over from the one before it: routes and hosts for which nothing changed.

A route is compiled from its own words, from the plan, the transformations and the upstreams that it names, and from the
bounds on patterns. Where all of these are as they were, so is what they compile to. The comparisons are quick because
the decoder hands out unchanged parts as the same objects (``wire.RoutesDecoder``); none of this relies on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wardgate.ir import Forward, Route, VirtualHost
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.proxy.core.routing.plans import CompiledRoute
from wardgate.proxy.core.routing.route_index import RouteIndex


@dataclass(frozen=True, slots=True)
class PreparedRoute:
    """A route, compiled, with its matchers for ``RouteIndex.add``."""

    spec: Route
    matches: tuple[tuple[bytes | None, bool, CompiledMatch], ...]
    compiled: CompiledRoute


class PreparedHost:
    """A virtual host, compiled; the next table may take over its ``routes``, by name."""

    __slots__ = ("index", "routes", "spec")

    def __init__(self, spec: VirtualHost) -> None:
        self.spec = spec
        self.index = RouteIndex()
        self.routes: dict[str, PreparedRoute] = {}

    def add(self, route: PreparedRoute) -> None:
        """Append a route."""
        self.index.add(route.compiled, route.matches)
        self.routes[route.spec.name] = route


@dataclass(frozen=True, slots=True)
class TableDelta:
    """The plans, transformations and upstreams that differ between two tables, by name; or ``everything``."""

    auth_plans: frozenset[str] = frozenset()
    transformations: frozenset[str] = frozenset()
    upstreams: frozenset[str] = frozenset()
    everything: bool = True

    def touch(self, route: Route) -> bool:
        """Whether the route may compile to something else than before."""
        return (
            self.everything
            or route.auth in self.auth_plans
            or not self.transformations.isdisjoint(route.transformations)
            or self._touch_upstreams(route.action)
        )

    def _touch_upstreams(self, action: object) -> bool:
        return isinstance(action, Forward) and any(each.upstream in self.upstreams for each in action.upstreams)


def changed_names(old: Mapping[str, object], new: Mapping[str, object]) -> frozenset[str]:
    """Return the names of parts that were put in, taken out or compiled anew."""
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) is not new.get(name))


def changed_plans(old: Mapping[str, tuple[object, object]], new: Mapping[str, tuple[object, object]]) -> frozenset[str]:
    """Return the same of plans, each with its words. A pair has no identity: compiled code makes it anew."""
    return frozenset(name for name in old.keys() | new.keys() if not _are_same(old.get(name), new.get(name)))


def _are_same(one: tuple[object, object] | None, other: tuple[object, object] | None) -> bool:
    return one is not None and other is not None and one[0] is other[0] and one[1] is other[1]
