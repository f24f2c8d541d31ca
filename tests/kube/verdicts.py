"""Verdicts as ``translate`` gives them, and statuses as they stand on objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wardgate.api import Approval
from wardgate.kube.status.key_expiry import NO_EXPIRIES, KeyExpiries
from wardgate.kube.status.manifest import PROGRAMMED, Desired, Programming, status_manifest
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import Counts, ObjectStatus

POLICY = ObjectRef("ExtAuthPolicy", "team", "apikey")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 13, 30, tzinfo=UTC)
AT_NOON = "2026-03-01T12:00:00Z"
AT_LATER = "2026-03-01T13:30:00Z"

_REASONS = {
    Approval.ACCEPTED: "Accepted",
    Approval.WARNING: "NoEffect",
    Approval.INVALID: "TemplateError",
    Approval.FAILED: "Conflicted",
}


def verdict(
    approval: Approval = Approval.ACCEPTED,
    *,
    ref: ObjectRef = POLICY,
    generation: int = 1,
    served: int | None = 1,
    message: str = "",
    reason: str = "",
    uid: str = "uid-1",
    counts: Counts | None = None,
) -> ObjectStatus:
    return ObjectStatus(
        ref=ref,
        uid=uid,
        generation=generation,
        approval=approval,
        reason=reason or _REASONS[approval],
        message=message,
        served_generation=served,
        counts=counts or {},
    )


def desired(
    of: ObjectStatus | None = None, programming: Programming = PROGRAMMED, expiries: KeyExpiries = NO_EXPIRIES
) -> Desired:
    return Desired(of or verdict(), programming, expiries)


def manifest(of: Desired | None = None, *, previous: Mapping[str, Any] | None = None, now: datetime = NOON) -> Any:
    return status_manifest(of or desired(), previous=previous, now=now)


def condition(status: Mapping[str, Any], kind: str) -> Any:
    """The condition of one type."""
    (found,) = [one for one in status["conditions"] if one["type"] == kind]
    return found
