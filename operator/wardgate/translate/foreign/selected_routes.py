"""The routes that a foreign object selects: as Gloo reads its selectors, and no further than an ExtAuthPolicy reaches.

Gloo takes an object without any selector for all routes, or all destinations, of its workspace. An empty selector may
mean as much, and so may an unreadable one of a guard (docs/decisions/0025).
"""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.api.kinds.foreign_kinds import ForeignKind, Reach
from wardgate.translate.manifests import at
from wardgate.translate.selection.policy_selectors import Selectors, read_selectors
from wardgate.translate.selection.route_finder import RouteFinder


def selected_routes(
    kind: ForeignKind, manifest: Mapping[str, object], *, finder: RouteFinder, within: str | None
) -> set[int]:
    """The numbers of the routes; ``within``: only of tables in that namespace. Guards count unknown labels as met."""
    if kind.reach is Reach.NONE:
        return set()
    if kind.reach is Reach.ROUTES:
        return _by_routes(manifest, finder, within=within, restricts=kind.guards)
    return _by_destinations(manifest, finder, within=within, restricts=kind.guards)


def _by_routes(manifest: Mapping[str, object], finder: RouteFinder, *, within: str | None, restricts: bool) -> set[int]:
    selectors = read_selectors(manifest)
    if _may_mean_all(selectors, restricts=restricts) or at(manifest, "spec", "applyToRoutes") == []:
        return finder.everything(within=within)
    return finder.by_policy(selectors, within=within, restricts=restricts)


def _by_destinations(
    manifest: Mapping[str, object], finder: RouteFinder, *, within: str | None, restricts: bool
) -> set[int]:
    if at(manifest, "spec", "applyToWorkloads"):
        return set()  # Gloo ignores destinations beside workloads, which are guarded in their own pods.
    selectors = read_selectors(manifest)
    if _may_mean_all(selectors, restricts=restricts):
        return finder.forwarding(within=within)
    return finder.by_policy(selectors, within=within, restricts=restricts)


def _may_mean_all(selectors: Selectors, *, restricts: bool) -> bool:
    return selectors.is_empty or bool(selectors.emptied) or (restricts and bool(selectors.unreadable))
