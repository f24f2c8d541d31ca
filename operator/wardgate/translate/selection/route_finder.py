"""Finds the routes that the selectors of a policy select.

Rule 1: a label of a route selector is met at any level: on the route, on its table, on a parent's route or table.
Rule 2: all given fields of one selector must hold; an absent field is met by everything. Selectors add up.
Rule 3: ``cluster`` is compared only if the installation has named its own; a workspace includes everything.
Rule 4: under isolated tenancy a tenant's policy selects only routes of tables in its own namespace.
Rule 5: labels of Services are not read. For a policy that restricts they count as carried, so that no route stays open
by an oversight; for one that adds to a request they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wardgate.translate.destinations.destination import Destination
from wardgate.translate.incremental.label_index import LabelIndex
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.policy_selectors import DestinationCriteria, RouteCriteria, Selectors

_NAMESPACE = "\0namespace"
_SERVICES = DestinationCriteria(kind="SERVICE")


class RouteFinder:
    """The routes of one translation, indexed by label, namespace and destination."""

    def __init__(self, instances: Sequence[RouteInstance], *, cluster_name: str | None) -> None:
        self._cluster_name = cluster_name
        self.index = LabelIndex(
            (number, (*instance.labels, (_NAMESPACE, instance.table.namespace)))
            for number, instance in enumerate(instances)
        )
        self._namespaces = [instance.table.namespace for instance in instances]
        self._by_destination: dict[Destination, list[int]] = {}
        for number, instance in enumerate(instances):
            for destination in instance.destinations:
                self._by_destination.setdefault(destination, []).append(number)

    def by_policy(self, selectors: Selectors, *, within: str | None, restricts: bool) -> set[int]:
        """The routes that any of the selectors selects. ``within``: only routes of tables in that namespace."""
        found: set[int] = set()
        for selector in selectors.routes:
            if isinstance(selector, RouteCriteria):
                found.update(self._by_labels(selector, within=within))
            else:
                found.update(self._by_target(selector, within=within, restricts=restricts))
        for target in selectors.destinations:
            found.update(self._by_target(target, within=within, restricts=restricts))
        return found

    def labels(self) -> Iterator[tuple[str, str]]:
        """All labels of all routes, those that they have from the tables above them included."""
        return (label for label in self.index.labels() if label[0] != _NAMESPACE)

    def everything(self, *, within: str | None) -> set[int]:
        """Every route."""
        return set(self.index.carrying(_pairs(within)))

    def to_services(self, *, within: str | None) -> set[int]:
        """Every route to a Service."""
        return set(self._by_target(_SERVICES, within=within, restricts=True))

    def forwarding(self, *, within: str | None) -> set[int]:
        """Every route that forwards, to any destination."""
        numbers = {number for found in self._by_destination.values() for number in found}
        return {number for number in numbers if within in (None, self._namespaces[number])}

    def _by_labels(self, selector: RouteCriteria, *, within: str | None) -> Iterable[int]:
        if not self._is_here(selector.cluster):
            return ()
        return self.index.carrying((*selector.labels, *_pairs(selector.namespace), *_pairs(within)))

    def _by_target(self, selector: DestinationCriteria, *, within: str | None, restricts: bool) -> Iterable[int]:
        if not self._is_here(selector.cluster):
            return
        for destination, numbers in self._by_destination.items():
            if _meets(destination, selector, restricts=restricts):
                yield from (number for number in numbers if within in (None, self._namespaces[number]))

    def _is_here(self, cluster: str | None) -> bool:
        return None in (cluster, self._cluster_name) or cluster == self._cluster_name


def _pairs(namespace: str | None) -> tuple[tuple[str, str], ...]:
    return () if namespace is None else ((_NAMESPACE, namespace),)


def _meets(destination: Destination, selector: DestinationCriteria, *, restricts: bool) -> bool:
    return (
        destination.kind == selector.kind
        and selector.name in (None, destination.name)
        and selector.namespace in (None, destination.namespace)
        and _port_meets(destination, selector.port, restricts=restricts)
        and _labels_meet(destination, selector, restricts=restricts)
    )


def _port_meets(destination: Destination, port: int | str | None, *, restricts: bool) -> bool:
    if port is None or destination.port == port:
        return True
    # A name and a number cannot be compared: the ports of Services are not read.
    comparable = destination.port is not None and isinstance(destination.port, int) == isinstance(port, int)
    return restricts and not comparable


def _labels_meet(destination: Destination, selector: DestinationCriteria, *, restricts: bool) -> bool:
    if not selector.labels:
        return True
    if destination.labels is None:
        return restricts
    return destination.labels.issuperset(selector.labels)
