"""The part of a cluster that one release serves (``--gateways``). No I/O.

A release with a selector serves the VirtualGateways that carry its labels, and leaves everything that no such gateway
uses alone, statuses included: it belongs to another release, or to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses

_USED_BY = {
    "RouteTable": ("num_allowed_virtual_gateways", "num_parent_route_tables"),
    "ExtAuthPolicy": ("num_selected_routes",),
    "TransformationPolicy": ("num_selected_routes",),
    "ExternalService": ("num_selected_virtual_gateways",),
}
"""Counts of which one at least is above zero where a gateway of ours uses the object."""


class SelectorError(ValueError):
    """The text is no list of labels; it says so in a sentence."""


def parse_selector(text: str) -> dict[str, str]:
    """Read ``team=ai,stage=live``; empty text is no selector. Raises ``SelectorError``."""
    labels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            msg = f'"{part}" is not LABEL=VALUE.'
            raise SelectorError(msg)
        labels[name.strip()] = value.strip().removeprefix("=")
    return labels


@dataclass(frozen=True, slots=True)
class ReleaseScope:
    """``labels`` empty: the whole cluster is ours."""

    labels: Mapping[str, str]

    def of(self, snapshot: ClusterSnapshot) -> ClusterSnapshot:
        """The snapshot without other releases' gateways."""
        if not self.labels:
            return snapshot
        gateways = tuple(one for one in snapshot.of("VirtualGateway") if self._is_ours(one))
        return replace(snapshot, objects=MappingProxyType({**snapshot.objects, "VirtualGateway": gateways}))

    def reported(self, statuses: Statuses) -> list[ObjectStatus]:
        """The statuses that are ours to write."""
        if not self.labels:
            return list(statuses)
        return [one for one in statuses if _is_used(one)]

    def _is_ours(self, gateway: StoredObject) -> bool:
        metadata = gateway.manifest.get("metadata")
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        return isinstance(labels, dict) and all(labels.get(name) == value for name, value in self.labels.items())


def _is_used(status: ObjectStatus) -> bool:
    if status.ref.kind == "VirtualGateway":
        return True
    return any(status.counts.get(name) for name in _USED_BY.get(status.ref.kind, ()))
