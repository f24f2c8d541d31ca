"""Objects as their statuses report them, and key Secrets by name. Pure.

A status may be old, incomplete, or written by others: a field that is missing is None or empty, and never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wardgate.api.kinds.annotations import EXPIRES_AT, SHARE_WITH, AnnotationError, parse_namespaces, parse_time
from wardgate.api.kinds.conditions import ConditionType
from wardgate.kube.status.key_expiry import SOON
from wardgate.problems import ObjectRef
from wardgate.translate.manifests import at, items, labels_of, mapping


@dataclass(frozen=True, slots=True)
class ReportedCondition:
    """One condition of a status. ``status`` is ``True``, ``False``, ``Unknown``, or empty where it is missing."""

    status: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ReportedObject:
    """One object with its status. ``observed`` is the generation that the status is about."""

    ref: ObjectRef
    generation: int
    observed: int | None
    approval: str
    message: str
    accepted: ReportedCondition
    programmed: ReportedCondition
    ready: ReportedCondition
    spec: Mapping[str, object] = field(repr=False)
    status: Mapping[str, object] = field(repr=False)

    @property
    def is_judged(self) -> bool:
        """Whether there is a verdict on the object as it is now."""
        return bool(self.approval) and (self.observed or 0) >= self.generation

    @property
    def is_good(self) -> bool:
        """Whether it is accepted, and served by every ready proxy."""
        return self.is_judged and self.approval == "ACCEPTED" and self.programmed.status == "True"

    def count(self, *path: str) -> int | None:
        """A number of the status."""
        found = at(self.status, *path)
        return found if isinstance(found, int) else None


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """A key Secret by its metadata. ``expires_at`` in unix seconds; ``expiry_unreadable``: the key is refused.

    ``faults``: the reasons that policies' statuses give for it. ``unused``: no policy selects it. ``shared_with``: the
    tenants that may use it, where it is a platform's.
    """

    ref: ObjectRef
    labels: Mapping[str, str]
    expires_at: int | None = None
    expiry_unreadable: bool = False
    faults: tuple[str, ...] = ()
    unused: bool = False
    shared_with: tuple[str, ...] = ()

    def expired(self, now: datetime) -> bool:
        """Whether it is refused by now."""
        return self.expires_at is not None and self.expires_at <= now.timestamp()

    def expires_soon(self, now: datetime) -> bool:
        """Whether it is valid now and soon will not be."""
        return not self.expired(now) and self.expired(now + SOON)


def read_object(kind: str, manifest: Mapping[str, Any]) -> ReportedObject:
    """Read an object."""
    metadata, status = mapping(manifest.get("metadata")), mapping(manifest.get("status"))
    state = mapping(at(status, "common", "State"))
    observed = status.get("observedGeneration") or state.get("observedGeneration")
    generation = metadata.get("generation")
    return ReportedObject(
        ref=ObjectRef(kind, str(metadata.get("namespace", "")), str(metadata.get("name", ""))),
        generation=generation if isinstance(generation, int) else 0,
        observed=observed if isinstance(observed, int) else None,
        approval=str(state.get("approval") or ""),
        message=str(state.get("message") or ""),
        accepted=_told(status, ConditionType.ACCEPTED),
        programmed=_told(status, ConditionType.PROGRAMMED),
        ready=_told(status, ConditionType.READY),
        spec=mapping(manifest.get("spec")),
        status=status,
    )


def read_key(manifest: Mapping[str, Any]) -> ReportedKey:
    """Read the metadata of a key Secret. Of its annotations the expiry and the tenants that share it are looked at."""
    metadata = mapping(manifest.get("metadata"))
    text = at(metadata, "annotations", EXPIRES_AT)
    expires_at = parse_time(text) if isinstance(text, str) else None
    unreadable = isinstance(expires_at, AnnotationError)
    return ReportedKey(
        ref=ObjectRef("Secret", str(metadata.get("namespace", "")), str(metadata.get("name", ""))),
        labels=labels_of(manifest),
        expires_at=None if isinstance(expires_at, AnnotationError) else expires_at,
        expiry_unreadable=unreadable,
        shared_with=_shared_with(at(metadata, "annotations", SHARE_WITH)),
    )


def _shared_with(text: object) -> tuple[str, ...]:
    tenants = parse_namespaces(text) if isinstance(text, str) else ()
    return () if isinstance(tenants, AnnotationError) else tenants


def listeners_of(gateway: ReportedObject) -> tuple[str, ...]:
    """The listeners of a VirtualGateway: ``80 HTTP``, ``443 HTTPS``."""
    return tuple(_listener(one) for one in items(gateway.spec.get("listeners")))


def routes_of(table: ReportedObject) -> int:
    """How many routes a RouteTable has of its own."""
    return len(items(table.spec.get("http")))


def hosts_of(one: ReportedObject) -> tuple[str, ...]:
    """The hosts that a RouteTable or an ExternalService names."""
    return tuple(str(host) for host in items(one.spec.get("hosts")))


def _listener(listener: object) -> str:
    number = at(listener, "port", "number") or at(listener, "port", "name") or "any port"
    if at(listener, "tls") is not None:
        return f"{number} HTTPS"
    return f"{number} HTTP" if at(listener, "http") is not None else f"{number} TCP"


def _told(status: Mapping[str, object], kind: ConditionType) -> ReportedCondition:
    for one in items(status.get("conditions")):
        if at(one, "type") == kind.value:
            return ReportedCondition(*(str(at(one, name) or "") for name in ("status", "reason", "message")))
    return ReportedCondition()
