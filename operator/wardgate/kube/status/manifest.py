"""The ``status`` of an object: the verdict of ``translate``, the proxies that serve it, the time of the last change.

Rule 1: ``Accepted`` is about the object alone. It holds for ACCEPTED and for WARNING. Its reason is that of the worst
problem (``wardgate.problems.Reason``), a warning's too.
Rule 2: ``Programmed`` is about one generation. It holds when every ready proxy serves a revision that contains this
generation, and of a VirtualGateway every listener. An object that is not accepted has no generation to be programmed:
``NotAccepted``, whatever is served in its place.
Rule 3: ``Ready`` holds when both do. Otherwise it repeats the reason of the one that does not. An object that is ready
with a warning has the warning's reason, so that the reason of ``Ready`` alone tells the story.
Rule 4: ``Stalled`` is there, and True, while nothing but a change of the object can help. An object that waits for
others (``_WAITS``) is not stalled: those may be on their way, as when a folder is applied file by file.
Rule 5: ``lastTransitionTime`` moves only when a condition's status flips.
Rule 6: everything carries the generation that it is about (``observedGeneration``), because ``kubectl wait`` and GitOps
tools ignore what is about an older one.

No I/O and no clock: the time and the previous status are handed in. The fields that an object holds from others
(conditions of foreign types) are the business of the patch, not of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from wardgate.api import KINDS, Approval, ConditionReason, ConditionType
from wardgate.api.kinds.conditions import CommonStatus, Condition, KeyCounts, State
from wardgate.kube.status.key_expiry import NO_EXPIRIES, KeyExpiries
from wardgate.problems import Reason
from wardgate.translate.statuses.object_status import Count, ObjectStatus

Manifest: TypeAlias = dict[str, Any]
Truth: TypeAlias = Literal["True", "False", "Unknown"]

_ACCEPTED: Final = frozenset({Approval.ACCEPTED, Approval.WARNING})
_WAITS: Final = frozenset({Reason.REF_NOT_FOUND, Reason.REF_NOT_PERMITTED, Reason.NOT_ALLOWED, Reason.HELD_BACK})
"""Reasons that end when another object comes or changes."""
_MAX_SUMMARY: Final = 1024
"""Characters of the messages of ``Ready`` and ``Stalled``, which repeat another one."""


@dataclass(frozen=True, slots=True)
class Programming:
    """How far the proxies are with one generation."""

    status: Truth
    reason: ConditionReason
    message: str


PROGRAMMED: Final = Programming("True", ConditionReason.PROGRAMMED, "Every ready proxy serves this generation.")
NO_PROXIES: Final = Programming(
    "Unknown", ConditionReason.NO_PROXIES, "No proxy is ready, so nobody serves it. Look at the proxies' Pods."
)


def not_programmed(detail: str = "") -> Programming:
    """Some ready proxy is behind; ``detail`` is a sentence that says which."""
    message = "Not every ready proxy serves this generation yet."
    return Programming("False", ConditionReason.NOT_PROGRAMMED, f"{message} {detail}".strip())


def not_served(detail: str) -> Programming:
    """Every ready proxy has the generation, and some cannot serve a listener of it; ``detail`` says which, and why."""
    return Programming("False", ConditionReason.LISTENER_NOT_SERVED, detail)


@dataclass(frozen=True, slots=True)
class Desired:
    """All that the status of one object is made of, but for the time and what stands there already."""

    verdict: ObjectStatus
    programming: Programming
    expiries: KeyExpiries = NO_EXPIRIES

    @property
    def is_settled(self) -> bool:
        """Whether this will still be so in a moment: not while proxies are about to take the generation."""
        return not is_accepted(self.verdict) or self.programming.reason is not ConditionReason.NOT_PROGRAMMED


def is_accepted(verdict: ObjectStatus) -> bool:
    """Whether the object counts as right, warnings or not."""
    return verdict.approval in _ACCEPTED


def status_manifest(desired: Desired, *, previous: Mapping[str, Any] | None, now: datetime) -> Manifest:
    """The whole of our part of the status. ``previous`` is what stood there before, of which times are kept."""
    verdict = desired.verdict
    model = KINDS[verdict.ref.kind].status
    status = model.model_validate(
        {
            "common": CommonStatus(
                state=State(
                    approval=verdict.approval.value, message=verdict.message, observed_generation=verdict.generation
                )
            ),
            "observed_generation": verdict.generation,
            "conditions": _conditions(desired, _transitions(previous), now=now),
            **_counts(desired, now),
        }
    )
    return status.as_manifest()


def _conditions(desired: Desired, before: Mapping[str, tuple[object, str]], *, now: datetime) -> tuple[Condition, ...]:
    accepted = _accepted(desired.verdict)
    programmed = desired.programming if is_accepted(desired.verdict) else _not_accepted(desired.verdict)
    told: dict[ConditionType, tuple[Truth, str, str]] = {
        ConditionType.ACCEPTED: accepted,
        ConditionType.PROGRAMMED: (programmed.status, programmed.reason.value, programmed.message),
    }
    told[ConditionType.READY] = _ready(accepted, told[ConditionType.PROGRAMMED])
    if accepted[0] == "False" and desired.verdict.reason not in _WAITS:
        told[ConditionType.STALLED] = ("True", accepted[1], _shortened(accepted[2]))
    return tuple(
        Condition(
            type=kind.value,
            status=status,
            reason=reason,
            message=message,
            last_transition_time=_since(before.get(kind.value), status, now=now),
            observed_generation=desired.verdict.generation,
        )
        for kind, (status, reason, message) in told.items()
    )


def _accepted(verdict: ObjectStatus) -> tuple[Truth, str, str]:
    status: Truth = "True" if is_accepted(verdict) else "False"
    return status, verdict.reason, verdict.message or "The object is right."


def _not_accepted(verdict: ObjectStatus) -> Programming:
    served = verdict.served_generation
    if served is None:
        rest = "nothing of the object is served."
    elif served == verdict.generation:
        rest = "only what is right in it is served."
    else:
        rest = f"generation {served} is served instead."
    message = f"Generation {verdict.generation} is not accepted: {rest}"
    return Programming("False", ConditionReason.NOT_ACCEPTED, message)


def _ready(accepted: tuple[Truth, str, str], programmed: tuple[Truth, str, str]) -> tuple[Truth, str, str]:
    for status, reason, message in (accepted, programmed):
        if status != "True":
            return status, reason, _shortened(message)
    _, reason, message = accepted
    if reason != ConditionReason.ACCEPTED:
        return "True", reason, _shortened(f"Served by every ready proxy, with a warning: {message}")
    return "True", ConditionReason.READY.value, "Accepted, and served by every ready proxy."


def _shortened(message: str) -> str:
    return message if len(message) <= _MAX_SUMMARY else f"{message[: _MAX_SUMMARY - 2].rstrip()} …"


def _since(before: tuple[object, str] | None, status: Truth, *, now: datetime) -> str:
    if before is not None and before[0] == status:
        return before[1]
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _transitions(previous: Mapping[str, Any] | None) -> dict[str, tuple[object, str]]:
    """Status and time of each condition that stands there; whatever is not of that form was not written by us."""
    conditions = (previous or {}).get("conditions")
    found: dict[str, tuple[object, str]] = {}
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and isinstance(time := one.get("lastTransitionTime"), str) and time:
            found[str(one.get("type"))] = (one.get("status"), time)
    return found


def _counts(desired: Desired, now: datetime) -> dict[str, object]:
    counts = desired.verdict.counts
    plain: dict[str, object] = {name: _plain(count) for name, count in counts.items() if name != "keys"}
    if keys := counts.get("keys"):
        plain["keys"] = _keys(keys, desired.expiries, now=now)
    return plain


def _plain(count: Count) -> object:
    """An empty map says nothing, and some servers drop it."""
    return dict(count) or None if isinstance(count, Mapping) else count


def _keys(counts: Count, expiries: KeyExpiries, *, now: datetime) -> KeyCounts:
    """A key whose time has passed moves from the usable ones to the rejected ones."""
    assert isinstance(counts, Mapping)
    found = {name: count for name, count in counts.items() if isinstance(count, int)}
    listed = counts.get("rejected_reasons", {})
    assert isinstance(listed, Mapping)
    reasons = {reason: count for reason, count in listed.items() if isinstance(count, int)}
    faults = counts.get("faults", {})
    assert isinstance(faults, Mapping)
    passed = min(expiries.passed(now), found.get("usable", 0))
    if passed:
        reasons[Reason.EXPIRED_KEY.value] = reasons.get(Reason.EXPIRED_KEY.value, 0) + passed
    return KeyCounts(
        usable=found.get("usable", 0) - passed,
        rejected=found.get("rejected", 0) + passed,
        duplicate=found.get("duplicate", 0),
        expiring_soon=expiries.soon(now),
        rejected_reasons=dict(sorted(reasons.items())) or None,
        faults={name: str(reason) for name, reason in faults.items()} or None,
    )
