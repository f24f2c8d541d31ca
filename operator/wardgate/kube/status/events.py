"""Events: a turn in the life of an object, told once, where ``kubectl describe`` and ``kubectl get events`` show it.

An Event tells of a turn: accepted, invalid, or in conflict with an older object. A state that lasts is in the status.
Events are told at a bounded rate, the same one not twice within ten minutes, and one that cannot be told is only
counted: nobody may depend on them. They hold a status's message, and so never a value of a Secret.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol, TypeAlias

from wardgate.api import Approval
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.resources import EVENTS
from wardgate.kube.api.token_bucket import TokenBucket
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.printable import printable
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

Manifest: TypeAlias = dict[str, Any]

CONTROLLER: Final = "wardgate.dev/operator"
RATE: Final = 5.0
BURST: Final = 25
AGAIN_AFTER: Final = 600.0
"""Seconds within which no Event is repeated."""
NOTE_BYTES: Final = 1024
_WAITING: Final = 1000
"""Events that wait at most; further ones are dropped."""
_REMEMBERED: Final = 10_000
_ACTION: Final = "Translate"
_INSTANCE_LENGTH: Final = 128
_NAME_LENGTH: Final = 200

_log = logging.getLogger(__name__)


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
    if standing is None or (standing, verdict.reason if standing != "accepted" else "") == _turned(before):
        return None
    return StatusEvent(
        ref=verdict.ref,
        uid=verdict.uid,
        type="Normal" if standing == "accepted" else "Warning",
        reason=verdict.reason,
        note=shortened(verdict.message or f"{verdict.ref} is accepted."),
    )


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


class EventClient(Protocol):
    """The part of ``KubeClient`` that Events need."""

    async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        """Create an object in a collection."""
        ...


class EventRecorder:
    """Owned by one event loop. ``clock`` is monotonic, in seconds; ``now`` is the time of day."""

    def __init__(
        self,
        client: EventClient,
        *,
        instance: str,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rate: float = RATE,
        burst: int = BURST,
    ) -> None:
        self._client = client
        self._instance = instance or "wardgate-operator"
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._bucket = TokenBucket(rate=rate, burst=burst)
        self._waiting: deque[StatusEvent] = deque()
        self._last: dict[StatusEvent, float] = {}
        self._filled = asyncio.Event()
        self._forbidden = False
        self.created = 0
        """Events that the API server took."""
        self.failures = 0
        """Events that it did not take."""
        self.dropped = 0
        """Events that were too many."""

    def tell(self, before: Mapping[str, Any] | None, verdict: ObjectStatus) -> None:
        """Tell of a verdict, if it is a turn that was not told a moment ago."""
        told = turn(before, verdict)
        if told is None or self._clock() - self._last.get(told, float("-inf")) < AGAIN_AFTER:
            return
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
            return
        self._remember(told)
        self._waiting.append(told)
        self._filled.set()

    async def run(self) -> None:
        """Create the waiting Events, for ever."""
        while True:
            await self._filled.wait()
            await self.create_waiting()

    async def create_waiting(self) -> None:
        """Create the Events that wait now."""
        while self._waiting:
            while wait := self._bucket.take(self._clock()):
                await self._sleep(wait)
            await self._create(self._waiting.popleft())
        self._filled.clear()

    async def _create(self, told: StatusEvent) -> None:
        manifest = event_manifest(told, instance=self._instance, now=self._now())
        try:
            await self._client.create(EVENTS.path(told.ref.namespace), manifest)
            self.created += 1
        except KubeError as error:
            self.failures += 1
            if isinstance(error, ApiError) and error.is_forbidden and not self._forbidden:
                self._forbidden = True
                _log.warning("No Events can be created: %s. Grant create on events in events.k8s.io.", error)

    def _remember(self, told: StatusEvent) -> None:
        """Bounded: a cluster that has so much to tell may hear something twice."""
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[told] = self._clock()


def _standing(approval: object) -> str | None:
    match approval:
        case Approval.ACCEPTED | Approval.WARNING:
            return "accepted"
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
