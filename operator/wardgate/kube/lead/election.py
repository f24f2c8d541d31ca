"""Who may write: the rules of a leader election on a Lease, without I/O.

Clocks are never compared. A Lease counts as held as long as *we* see it change: its holder may write only for
``GIVE_UP`` seconds after it last began a renewal that succeeded, and others wait ``DURATION`` seconds, by their own
clocks, after the last change they saw. So a holder has given up before anyone takes over, whatever the clocks say.

A holder that ends in order leaves an empty name behind: whoever sees that takes over at once. So does whoever sees a
Lease of another ServiceAccount, that of an installation before this one: its holder cannot write any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final, TypeAlias

from wardgate.kube.api.owner import Owner
from wardgate.kube.api.resources import LEASES, SERVICE_ACCOUNTS

Manifest: TypeAlias = dict[str, Any]

DURATION: Final = 10.0
"""Seconds without a change after which somebody else may take over."""
GIVE_UP: Final = 7.0
"""Seconds after the beginning of the last renewal that succeeded, after which the holder stops writing."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """A Lease as it stands on the server; ``version`` is its resourceVersion, empty where there is none yet.

    ``owner`` is the uid of the ServiceAccount that it belongs to, empty if it says none.
    """

    holder: str = ""
    version: str = ""
    transitions: int = 0
    acquired: str = ""
    owner: str = ""


class Move(Enum):
    """The next step of a replica, after it has looked at the Lease."""

    TAKE = auto()
    """Nobody holds it: write our name."""
    RENEW = auto()
    """We hold it."""
    WAIT = auto()
    """Somebody else does."""


class Election:
    """``now`` is always a monotonic time in seconds. Owned by one task. ``owner``: see ``LeaseRecord``."""

    def __init__(self, identity: str, *, owner: str = "") -> None:
        self._identity = identity
        self._owner = owner
        self.record = LeaseRecord()
        self._changed_at: float | None = None
        self._renewed_at: float | None = None

    def observe(self, record: LeaseRecord, now: float) -> Move:
        """Take the Lease as it was read; return the next step."""
        # A version that is new says that the holder is alive, whatever the record holds.
        if self._changed_at is None or record != self.record:
            self.record = record
            self._changed_at = now
        if record.holder == self._identity:
            return Move.RENEW
        self._renewed_at = None
        is_foreign = bool(self._owner and record.owner) and record.owner != self._owner
        if not record.holder or is_foreign or now - self._changed_at >= DURATION:
            return Move.TAKE
        return Move.WAIT

    def wrote(self, record: LeaseRecord, *, began: float) -> None:
        """Our write, begun at ``began``, succeeded and gave this."""
        self.record = record
        # Counted from the request, not from its answer: the server may have taken the write at any moment since.
        self._changed_at = began
        self._renewed_at = began if record.holder == self._identity else None

    def remaining(self, now: float) -> float:
        """Seconds for which we may still write; zero: we do not lead."""
        return 0.0 if self._renewed_at is None else max(0.0, self._renewed_at + GIVE_UP - now)

    def give_up(self) -> None:
        """Write no more, whatever the Lease says: to lead again it has to be renewed first."""
        self._renewed_at = None

    @property
    def is_ours(self) -> bool:
        """Whether our name was on the Lease when it was last seen."""
        return self.record.holder == self._identity

    def claim(self, wall: float) -> LeaseRecord:
        """The record that makes the Lease ours, or keeps it so. ``wall`` (Unix seconds) is for people only."""
        if self.is_ours:
            return replace(self.record, owner=self._owner)
        return replace(
            self.record,
            owner=self._owner,
            holder=self._identity,
            acquired=_micro_time(wall),
            transitions=self.record.transitions + (self.record.version != ""),
        )

    def resignation(self) -> LeaseRecord:
        """The record that sets the Lease free."""
        return replace(self.record, holder="")


def read_lease(lease: Mapping[str, Any]) -> LeaseRecord:
    """Read a Lease; what is missing is empty."""
    spec = lease.get("spec") or {}
    owners = lease["metadata"].get("ownerReferences") or ()
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        version=lease["metadata"]["resourceVersion"],
        transitions=spec.get("leaseTransitions") or 0,
        acquired=spec.get("acquireTime") or "",
        owner=next((one["uid"] for one in owners if one.get("kind") == SERVICE_ACCOUNTS.kind), ""),
    )


def lease_manifest(
    record: LeaseRecord, *, namespace: str, name: str, wall: float, owner: Owner | None = None
) -> Manifest:
    """Write a Lease; a version is a precondition."""
    metadata: Manifest = {"name": name, "namespace": namespace}
    if owner is not None:
        metadata["ownerReferences"] = owner.references
    spec: Manifest = {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": int(DURATION) if record.holder else 1,
        "renewTime": _micro_time(wall),
        "leaseTransitions": record.transitions,
    }
    if record.version:
        metadata["resourceVersion"] = record.version
    if record.acquired:
        spec["acquireTime"] = record.acquired
    return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}


def _micro_time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
