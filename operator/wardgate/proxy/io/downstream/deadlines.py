"""Deadlines for the next bytes: the caller owes the request's body, or the upstream the response.

Rule 1: a body must keep up a least rate. Each byte buys the time that it may take at that rate, on top of what is left,
        up to one window; so a pause may last a window, a slow upload as long as it likes, and a byte a minute no
        longer than a window in all.
Rule 2: a body that is collected has a total time besides, because it occupies memory.
Rule 3: while the upstream does not read, the caller owes nothing: the window is the upstream's.
Rule 4: once the body is complete, or a response has begun, the upstream has its own time between two pieces. How fast
        it answers is its affair: events may be minutes apart.
Rule 5: while the caller does not read, the upstream owes nothing. How fast callers read is for ``Outbox`` to watch.

Nothing here sets a timer: the worker's tick asks ``overdue``.
"""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.settings import Limits, Timeouts

NEVER = float("inf")


class Deadlines:
    """Of one caller's connection, whose requests follow each other. ``clock`` is monotonic, in seconds."""

    __slots__ = ("_blocked", "_body_by", "_body_due", "_clock", "_rate", "_response_due", "_response_time", "_timeouts")

    def __init__(self, *, limits: Limits, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        self._rate = limits.least_rate
        self._timeouts = timeouts
        self._response_time = timeouts.response
        self._clock = clock
        self._body_due = NEVER
        self._body_by = NEVER
        self._response_due = NEVER
        self._blocked = False

    def await_body(self, *, collected: bool) -> None:
        """The caller's body is read, and more of it is to come."""
        now = self._clock()
        if collected:
            self._body_by = now + self._timeouts.collected_body
        self._body_due = min(now + self._timeouts.body, self._body_by)

    def body_came(self, size: int) -> None:
        """So many bytes of it arrived."""
        if self._body_due == NEVER:
            return
        now = self._clock()
        self._body_due = min(self._body_due + size / self._rate, now + self._timeouts.body, self._body_by)
        if self._response_due < NEVER:
            # An upstream that began to answer early still waits for the rest of the body.
            self._response_due = now + self._response_time

    def body_stalled(self) -> None:
        """The upstream stopped reading the body, or went on."""
        if self._body_due < NEVER:
            self._body_due = min(self._clock() + self._timeouts.body, self._body_by)

    def body_ended(self) -> None:
        """The body is complete, or not wanted any more."""
        self._body_due = self._body_by = NEVER

    def await_response(self) -> None:
        """The upstream owes the response, or its next piece."""
        if not self._blocked:
            self._response_due = self._clock() + self._response_time

    def caller_blocked(self, *, blocked: bool) -> None:
        """The caller stopped reading the response, or went on."""
        self._blocked = blocked
        self._response_due = NEVER if blocked else self._clock() + self._response_time

    def end(self) -> None:
        """Nobody owes anything any more; what follows is another request."""
        self._body_due = self._body_by = self._response_due = NEVER
        self._blocked = False

    def overdue(self, now: float) -> ReplyReason | None:
        """Why the exchange has to end by now; None: it has time."""
        if now >= self._body_due:
            return ReplyReason.REQUEST_TIMEOUT
        return ReplyReason.UPSTREAM_TIMEOUT if now >= self._response_due else None
