"""The known status of one object, and the next write that follows from it, if any. Pure.

Rule 1: a status that the API server has already answered this very patch with is not sent again, whatever the server
made of it. A foreign CRD may prune fields, a webhook may change them; neither is a reason to write for ever.
Rule 2: a patch carries the version it was made from. So it fails where the object was made anew under the same name,
and where others wrote conditions meanwhile, which are sent along because a merge-patch replaces the list.
Rule 3: what somebody else wrote over what we have nothing new to say about is put right where its conditions contradict
ours. Numbers and words are let be: another release that serves the same object counts its own routes.
Rule 4: somebody who keeps overwriting our status is answered more and more rarely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from wardgate.kube.status.manifest import Desired, status_manifest
from wardgate.kube.status.patch import as_kept, difference

Manifest: TypeAlias = dict[str, Any]

PATIENCE: Final = 3
"""The number of times that a status somebody overwrote is put right at once."""
PEACE: Final = 600.0
"""Seconds without an overwriting after which patience is new."""
_LONGEST_WAIT: Final = 300.0
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Answered:
    """A write that succeeded: the verdict, the status made of it, and the API server's answer."""

    desired: Desired
    sent: Manifest
    returned: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """``body`` is the merge-patch; ``wanted`` the whole of our part of the status."""

    desired: Desired
    wanted: Manifest
    body: Manifest


@dataclass(slots=True)
class StatusEntry:
    """One object. ``held`` is its status as last heard of, None before the first time, at resourceVersion ``version``.

    ``followed``: watches or lists keep ``held`` up to date. ``due`` is when to look at it next. ``given_up``: nothing
    can succeed until something else is wanted.
    """

    uid: str = ""
    version: int = -1
    held: Mapping[str, Any] | None = None
    followed: bool = False
    desired: Desired | None = None
    answered: Answered | None = None
    due: float | None = None
    not_before: float = _NEVER
    failures: int = 0
    given_up: bool = False
    repairs: int = 0
    repaired: float = _NEVER

    @property
    def before(self) -> Mapping[str, Any] | None:
        """The status that went before: ours, unless somebody else has written since."""
        if self.answered is not None and (
            self.held == self.answered.returned or not (self.held or {}).get("conditions")
        ):
            return self.answered.sent
        return self.held

    @property
    def was_overwritten(self) -> bool:
        """Whether what we last wrote still is what we want, and somebody else has written something else."""
        return (
            self.answered is not None and self.answered.desired == self.desired and self.answered.returned != self.held
        )

    def meet(self, uid: str) -> None:
        """Start anew if another object has the name now."""
        if self.uid and self.uid != uid:
            self.version, self.held, self.answered = -1, None, None
            self.failures = self.repairs = 0
        self.uid = uid

    def want(self, desired: Desired) -> bool:
        """Take the wanted status; return whether it is a new one."""
        if self.desired == desired:
            return False
        if self.desired is None or self.desired.verdict.uid != desired.verdict.uid:
            self.meet(desired.verdict.uid)
        elif not self.followed and self.desired.verdict.generation != desired.verdict.generation:
            self.held = None  # somebody has written the object, so the version that we know is not the last
        self.desired = desired
        self.given_up = False
        return True

    def see(self, status: Mapping[str, Any] | None, *, uid: str, version: int) -> bool:
        """Take what a watch or a list found; return whether it is anything new.

        News that come late are passed over: an older version, and an object of that name which is another one than the
        one that was judged. The status of its successor is read when that is judged.
        """
        if version <= self.version or (self.desired is not None and self.desired.verdict.uid != uid):
            return False
        self.meet(uid)
        self.followed = True
        is_new = self.held != (status or {})
        self.version, self.held = version, status or {}
        return is_new

    def take(self, found: Mapping[str, Any]) -> None:
        """Take an object as it was read, which is newer than anything a watch told before."""
        self.meet(str(found.get("metadata", {}).get("uid", self.uid)))
        self.version, self.held = _version_of(found), _status_of(found)

    def take_answer(self, write: Write, answer: Mapping[str, Any]) -> None:
        """Take the answer to a write of ours. Somebody may have written since, and a watch told it."""
        self.meet(str(answer.get("metadata", {}).get("uid", self.uid)))
        if self.held is None or _version_of(answer) >= self.version:
            self.version, self.held = _version_of(answer), _status_of(answer)
        self.answered = Answered(write.desired, write.wanted, _status_of(answer))
        self.failures, self.not_before = 0, _NEVER

    def next_write(self, now: datetime) -> Write | None:
        """The request that is needed now, or None."""
        desired, held, answered = self.desired, self.held, self.answered
        if desired is None or held is None or desired.verdict.uid != self.uid:
            return None
        wanted = status_manifest(desired, previous=self.before, now=now)
        kept = wanted
        if answered is not None:
            if wanted == answered.sent and (held == answered.returned or not _contradicts(held, wanted)):
                return None
            kept = as_kept(wanted, sent=answered.sent, returned=answered.returned)
        if not difference(desired.verdict.ref.kind, held=held, wanted=kept):
            return None
        body: Manifest = {"status": difference(desired.verdict.ref.kind, held=held, wanted=wanted)}
        if self.version >= 0:
            body["metadata"] = {"resourceVersion": str(self.version)}
        return Write(desired, wanted, body)

    def patience(self, now: float) -> float:
        """Seconds to wait before a status that somebody overwrote is put right."""
        if now - self.repaired > PEACE:
            self.repairs = 0
        if self.repairs < PATIENCE:
            return 0.0
        wait = min(2.0 ** (self.repairs - PATIENCE), _LONGEST_WAIT)
        return max(0.0, self.repaired + wait - now)


def _version_of(found: Mapping[str, Any]) -> int:
    return int(found.get("metadata", {}).get("resourceVersion", -1))


def _status_of(found: Mapping[str, Any]) -> Mapping[str, Any]:
    status = found.get("status")
    return status if isinstance(status, dict) else {}


def _contradicts(held: Mapping[str, Any], wanted: Manifest) -> bool:
    """Whether some condition of ours is not there, or says something else."""
    return not all(said in _conditions(held) for said in _conditions(wanted))


def _conditions(status: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Type, status, reason and generation of each condition that can be read."""
    conditions = status.get("conditions")
    return [
        tuple(one.get(name) for name in ("type", "status", "reason", "observedGeneration"))
        for one in (conditions if isinstance(conditions, list) else ())
        if isinstance(one, dict)
    ]
