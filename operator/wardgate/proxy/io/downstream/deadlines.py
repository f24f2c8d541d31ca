"""Deadlines for the next bytes: the caller owes the request's body, or the upstream the response.

Rule 1: a body must keep up a least rate. Each byte buys the time that it may take at that rate, on top of what is left,
        up to one window; so a pause may last a window, a slow upload as long as it likes, and a byte a minute no
        longer than a window in all.
Rule 2: a body that is collected has a total time besides, because it occupies memory.
Rule 3: while the upstream does not read, the caller owes nothing: the window is the upstream's.
Rule 4: once the body is complete, the upstream has its time to begin, and once a response has begun, another one
        between two pieces, which is longer for a stream of events. How fast it answers is its affair: events may be
        minutes apart, and a response that moves may last for ever.
Rule 5: while the caller does not read, the upstream owes nothing. How fast callers read is for ``Outbox`` to watch.
Rule 6: in another protocol neither side owes anything; whatever one of them sends buys both of them time.
Rule 7: all that comes before a response goes to the caller has a time in all.

Nothing here sets a timer: the worker's tick asks ``overdue``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wardgate.proxy.core.fields.folded import first_value
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.settings import Limits, Timeouts

NEVER = float("inf")
_STREAMS: Final = frozenset(
    {b"text/event-stream", b"application/x-ndjson", b"application/jsonl", b"application/vnd.amazon.eventstream"}
)
"""Media types of events one after the other, between which a model thinks."""


class Deadlines:
    """Of one caller's connection, whose requests follow each other. ``clock`` is monotonic, in seconds."""

    __slots__ = (
        "_begun",
        "_blocked",
        "_body_by",
        "_body_due",
        "_clock",
        "_rate",
        "_response_due",
        "_response_time",
        "_switched",
        "_timeouts",
    )

    def __init__(self, *, limits: Limits, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        self._rate = limits.least_rate
        self._timeouts = timeouts
        self._response_time = timeouts.response_head
        self._begun = False
        """Whether the upstream has begun to answer."""
        self._clock = clock
        self._body_due = NEVER
        self._body_by = NEVER
        self._response_due = NEVER
        self._blocked = False
        self._switched = False
        """Whether the connection carries another protocol."""

    def await_body(self, *, collected: bool) -> None:
        """The caller's body is read, and more of it is to come."""
        now = self._clock()
        if collected:
            self._body_by = now + self._timeouts.collected_body
        self._body_due = min(now + self._timeouts.body, self._body_by)

    def body_came(self, size: int) -> None:
        """So many bytes of it arrived."""
        if self._body_due == NEVER:
            if self._switched:
                self.await_response()
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

    def await_response(self, *, since: float | None = None) -> None:
        """The upstream owes the response, or its next piece; ``since`` None: from now on."""
        if not self._blocked:
            self._response_due = (self._clock() if since is None else since) + self._response_time

    def response_began(self, headers: HeaderList, *, length: int | None) -> None:
        """The head of a response came; ``length`` of its body: None where it is not known beforehand."""
        self._begun = True
        is_stream = length is None and _is_stream(headers)
        self._response_time = self._timeouts.stream_idle if is_stream else self._timeouts.response_idle
        self.await_response()

    def switched(self) -> None:
        """Another protocol has begun."""
        self._switched = True
        self._response_time = self._timeouts.upgraded_idle
        self.await_response()

    def caller_blocked(self, *, blocked: bool) -> None:
        """The caller stopped reading the response, or went on."""
        self._blocked = blocked
        self._response_due = NEVER if blocked else self._clock() + self._response_time

    def end(self) -> None:
        """Nobody owes anything any more; what follows is another request."""
        self._body_due = self._body_by = self._response_due = NEVER
        self._blocked = self._begun = self._switched = False
        self._response_time = self._timeouts.response_head

    def overdue(self, now: float, *, began: float = NEVER) -> ReplyReason | None:
        """Why the exchange has to end by now; None: it has time.

        ``began``: when the request did; NEVER, once its response is on its way to the caller.
        """
        if now >= self._body_due:
            return ReplyReason.REQUEST_TIMEOUT
        if now >= self._response_due:
            if self._switched:
                return ReplyReason.IDLE_TIMEOUT
            return ReplyReason.UPSTREAM_STALLED if self._begun else ReplyReason.UPSTREAM_TIMEOUT
        longest = self._timeouts.request
        return ReplyReason.EXCHANGE_TIMEOUT if 0 < longest <= now - began else None


def _is_stream(headers: HeaderList) -> bool:
    given = first_value(headers, b"content-type") or b""
    return given.partition(b";")[0].strip().lower() in _STREAMS
