"""The selectors of a policy, read from its manifest.

The model is not used, because a policy that does not parse still has to close the routes that it selects (invariant 6).
An unreadable field makes its selector unreadable, never wider: one bad object costs no other its routes. A selector is
*emptied* where a null stands for its last member (``- route:``): it may mean every route, so it is counted apart. A
single selector without the list around it is read all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from wardgate.problems import ObjectRef, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import at, items, mapping

_SelectorT = TypeVar("_SelectorT")


@dataclass(frozen=True, slots=True)
class RouteCriteria:
    """``route``: labels of the route at any level, and the namespace of its table."""

    labels: tuple[tuple[str, str], ...] = ()
    namespace: str | None = None
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class DestinationCriteria:
    """``withDestinations`` and ``applyToDestinations``. ``port`` is a number or a name; None means every port."""

    kind: str = "SERVICE"
    labels: tuple[tuple[str, str], ...] = ()
    name: str | None = None
    namespace: str | None = None
    cluster: str | None = None
    port: int | str | None = None


RouteSelector: TypeAlias = RouteCriteria | DestinationCriteria


@dataclass(frozen=True, slots=True)
class Selectors:
    """All selectors of one policy. ``unreadable`` and ``emptied`` count those that select nothing by themselves."""

    routes: tuple[RouteSelector, ...] = ()
    destinations: tuple[DestinationCriteria, ...] = ()
    unreadable: int = 0
    emptied: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the policy has no selector at all; its kind decides the meaning."""
        return not (self.routes or self.destinations or self.unreadable or self.emptied)

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """The labels of routes that the selectors name, in their order."""
        return tuple(label for one in self.routes if isinstance(one, RouteCriteria) for label in one.labels)


class _UnreadableError(Exception):
    """A selector has another shape than it should."""


class _EmptiedError(Exception):
    """A selector has nothing left in it, or a label without a value."""


@dataclass(slots=True)
class _Unread:
    """Counts of the selectors that were not read."""

    unreadable: int = 0
    emptied: int = 0


def read_selectors(manifest: Mapping[str, object]) -> Selectors:
    """The selectors of a policy, good or bad."""
    spec = at(manifest, "spec")
    if spec is None:
        return Selectors(emptied=1)
    if not isinstance(spec, Mapping):
        return Selectors(unreadable=1)
    unread = _Unread()
    routes = _read_all(at(spec, "applyToRoutes"), _route_selector, unread=unread)
    destinations = _read_all(at(spec, "applyToDestinations"), _destination_selector, unread=unread)
    return Selectors(routes, destinations, unread.unreadable, unread.emptied)


def report_unreadable(ref: ObjectRef, stored: StoredObject, *, findings: Findings, cost: str) -> None:
    """Report the unreadable and the empty selectors of a bad policy; ``cost`` ends the sentence."""
    selectors = read_selectors(stored.manifest)
    if selectors.emptied:
        findings.error(
            ref,
            Reason.INVALID,
            message=f"{ref} has a selector with nothing in it ({selectors.emptied}), which may mean every route{cost}. "
            "Write the labels of the routes that are meant, or route: {} for every route.",
            field=("spec", "applyToRoutes"),
        )
    unreadable = selectors.unreadable
    if unreadable:
        findings.error(
            ref,
            Reason.INVALID,
            message=(
                f"{ref} has selectors that cannot be read ({unreadable}). Nobody can tell which routes they "
                f"mean{cost}. Correct them."
            ),
            field=("spec", "applyToRoutes"),
        )


def _read_all(raw: object, read: Callable[[object], _SelectorT], *, unread: _Unread) -> tuple[_SelectorT, ...]:
    if raw is None:
        return ()
    entries = (raw,) if isinstance(raw, Mapping) else items(raw)
    found: list[_SelectorT] = []
    unread.unreadable += not entries and raw != []
    for entry in entries:
        try:
            found.append(read(entry))
        except _EmptiedError:
            unread.emptied += 1
        except _UnreadableError:
            unread.unreadable += 1
    return tuple(found)


def _route_selector(raw: object) -> RouteSelector:
    entry = _object(raw)
    if entry.get("withDestinations") is not None:
        return _destination_selector(entry["withDestinations"])
    if entry.get("route") is None:
        raise _EmptiedError
    route = _object(entry["route"])
    return RouteCriteria(
        labels=_labels(route.get("labels")),
        namespace=_text(route.get("namespace")),
        cluster=_text(route.get("cluster")),
    )


def _destination_selector(raw: object) -> DestinationCriteria:
    if raw is None:
        raise _EmptiedError
    entry = _object(raw)
    selector = _object(entry.get("selector"))
    return DestinationCriteria(
        kind=_text(entry.get("kind")) or "SERVICE",
        labels=_labels(selector.get("labels")),
        name=_text(selector.get("name")),
        namespace=_text(selector.get("namespace")),
        cluster=_text(selector.get("cluster")),
        port=_port(_object(entry.get("port"))),
    )


def _object(raw: object) -> Mapping[str, object]:
    """A mapping; null and absent count as an empty one."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise _UnreadableError
    return mapping(raw)


def _labels(raw: object) -> tuple[tuple[str, str], ...]:
    labels = _object(raw)
    if None in labels.values():
        raise _EmptiedError
    return tuple(sorted((key, _scalar(value)) for key, value in labels.items()))


def _text(raw: object) -> str | None:
    return _scalar(raw) or None if raw is not None else None


def _port(raw: Mapping[str, object]) -> int | str | None:
    number = raw.get("number")
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    if number is not None:
        raise _UnreadableError
    return _text(raw.get("name"))


def _scalar(raw: object) -> str:
    """Text, or an unquoted YAML scalar as text: ``8080`` or ``true``."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, str | int | float):
        return str(raw)
    raise _UnreadableError
