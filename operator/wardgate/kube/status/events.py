"""Events: a turn in the life of an object, where ``kubectl describe`` and ``kubectl get events`` show it. Pure.

An Event tells of a turn: accepted, with a warning, invalid, or in conflict with an older object. A state that lasts is
in the status. A turn for the better is Normal and names the trouble that is over, so that an older Warning in the list
is not taken for the last word. Events hold a status's message, and so never a value of a Secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from wardgate.api import Approval
from wardgate.kube.api.resources import EVENTS
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.printable import printable
from wardgate.problems import ObjectRef, ProblemKind, Reason
from wardgate.translate.statuses.object_status import ObjectStatus

Manifest: TypeAlias = dict[str, Any]

CONTROLLER: Final = "wardgate.dev/operator"
NOTE_BYTES: Final = 1024
_ACTION: Final = "Translate"
_INSTANCE_LENGTH: Final = 128
_NAME_LENGTH: Final = 200
_TROUBLE: Final = frozenset(reason.value for reason in Reason)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One Event, but for its time. ``reason`` is of a closed set: ``ConditionReason`` and ``problems.Reason``."""

    ref: ObjectRef
    uid: str
    type: Literal["Normal", "Warning"]
    reason: str
    note: str


def turn(before: Mapping[str, Any] | None, verdict: ObjectStatus) -> StatusEvent | None:
    """The Event that a verdict is worth, judging by the status that went before; None if it is no turn."""
    standing = _standing(verdict.approval.value)
    stood, trouble = _turned(before)
    if standing is None or (standing, verdict.reason if standing != "accepted" else "") == (stood, trouble):
        return None
    message = verdict.message or f"{verdict.ref} is accepted."
    return StatusEvent(
        ref=verdict.ref,
        uid=verdict.uid,
        type="Normal" if standing == "accepted" else "Warning",
        reason=verdict.reason,
        note=shortened(f"{trouble} is resolved. {message}" if _is_over(trouble, verdict) else message),
    )


def _is_over(trouble: str, verdict: ObjectStatus) -> bool:
    """Whether no problem of the verdict is of the reason that stood there, unless it asks for nothing."""
    present = {one.reason.value for one in verdict.problems if one.kind is not ProblemKind.NOTE}
    return trouble in _TROUBLE and trouble not in present and trouble != verdict.reason


def shortened(note: str) -> str:
    """Make a note printable, and cut it to the bytes that the API server takes."""
    shown = printable(note)
    data = shown.encode()
    if len(data) <= NOTE_BYTES:
        return shown
    end = " …"
    return data[: NOTE_BYTES - len(end.encode())].decode(errors="ignore").rstrip() + end


def event_manifest(told: StatusEvent, *, instance: str, now: datetime) -> Manifest:
    """The Event as it is created. ``instance`` is the operator's Pod. The name is unique by its time."""
    time = now.astimezone(UTC)
    serial = int(time.timestamp() * 1_000_000)
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{told.ref.name[:_NAME_LENGTH].rstrip('-.')}.{serial:x}",
            "namespace": told.ref.namespace,
        },
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:_INSTANCE_LENGTH],
        "action": _ACTION,
        "type": told.type,
        "reason": told.reason,
        "note": told.note,
        "regarding": {
            "apiVersion": resource_of(told.ref.kind).api_version,
            "kind": told.ref.kind,
            "namespace": told.ref.namespace,
            "name": told.ref.name,
            "uid": told.uid,
        },
    }


def _standing(approval: object) -> str | None:
    match approval:
        case Approval.ACCEPTED:
            return "accepted"
        case Approval.WARNING:
            return "warning"
        case Approval.INVALID:
            return "invalid"
        case Approval.FAILED:
            return "conflict"
        case _:
            return None


def _turned(before: Mapping[str, Any] | None) -> tuple[str | None, str]:
    """The class and the reason of the verdict in a status; None and empty where the status is not of our form."""
    common = (before or {}).get("common")
    state = common.get("State") if isinstance(common, dict) else None
    standing = _standing(state.get("approval") if isinstance(state, dict) else None)
    return standing, "" if standing == "accepted" else _reason(before or {})


def _reason(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and one.get("type") == "Accepted":
            return str(one.get("reason"))
    return ""
