"""One request, as the access log and the metrics tell of it once it has ended.

Whoever carries the request notes moments and facts here as they come, each an assignment; nothing is made of them
before the end. All that is the same for many requests (route, key, upstream) stands in ``Facts`` instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wardgate.proxy.core.messages import Header

NO_MOMENT: Final = 0.0
"""A moment that did not come. No clock that is monotonic shows it."""
UNKNOWN: Final = -1
"""A span without a beginning."""
MICROSECONDS: Final = 1e6


class RequestRecord:
    """``method`` and ``path`` are those that arrived. Moments are of the worker's monotonic clock, in seconds.

    ``settle`` makes the spans, in whole microseconds: ``duration``, ``overhead``, ``upstream`` and ``ttft``. The last
    two are ``UNKNOWN`` where no upstream was asked, or no byte of its response's body went to the caller.
    """

    __slots__ = (
        "asked",
        "attempts",
        "collecting",
        "duration",
        "ended_at",
        "first_byte",
        "method",
        "origin",
        "overhead",
        "path",
        "peer",
        "provider_id",
        "received",
        "request_id",
        "response_fields",
        "sent",
        "started",
        "status",
        "traceparent",
        "ttft",
        "upstream",
        "upstream_ended",
        "waited",
    )

    def __init__(self, method: bytes, path: bytes, *, request_id: bytes, peer: str, started: float) -> None:
        self.method = method
        self.path = path
        self.request_id = request_id
        self.peer = peer
        self.started = started
        self.traceparent = b""
        """As it arrived, valid or not."""
        self.asked = NO_MOMENT
        """An upstream was chosen; a connection, a name or a handshake is waited for from here on."""
        self.first_byte = NO_MOMENT
        """The first piece of the response's body went to the caller."""
        self.upstream_ended = NO_MOMENT
        """The response was whole, where that is not the request's own end."""
        self.collecting = NO_MOMENT
        """The caller's body is waited for since."""
        self.waited = 0.0
        """Seconds in which the caller's body was waited for before anything could be decided."""
        self.attempts = 0
        """Times that the request was sent upstream, or was about to be."""
        self.response_fields: Sequence[Header] = ()
        """Fields of the upstream's response, as they came."""
        self.status = 0
        self.received = 0
        self.sent = 0
        """Bytes of the bodies that came from the caller, and went to it."""
        self.origin = ""
        """Its members of a log line that many requests share."""
        self.provider_id = b""
        self.ended_at = 0.0
        """By the wall's clock, in unix seconds."""

    def collects(self, now: float) -> None:
        """The caller's body is waited for."""
        self.collecting = now

    def asks(self, now: float) -> None:
        """An upstream is asked."""
        self.asked = now
        self.attempts = 1

    def collected(self, now: float) -> None:
        """The caller's body is complete, or not waited for any more."""
        self.waited += now - self.collecting
        self.collecting = NO_MOMENT

    def settle(self, now: float) -> None:
        """The request has ended: make spans of the moments."""
        if self.collecting:
            self.collected(now)
        started = self.started
        duration = self.duration = int((now - started) * MICROSECONDS)
        ours = duration - int(self.waited * MICROSECONDS) if self.waited else duration
        if self.asked:
            upstream = self.upstream = int(((self.upstream_ended or now) - self.asked) * MICROSECONDS)
            ours -= upstream
        else:
            self.upstream = UNKNOWN
        self.overhead = ours if ours > 0 else 0  # noqa: FURB136 - a call costs as much as three of these lines
        has_begun = self.first_byte and self.sent
        self.ttft = int((self.first_byte - started) * MICROSECONDS) if has_begun else UNKNOWN
