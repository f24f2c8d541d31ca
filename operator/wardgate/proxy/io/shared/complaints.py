"""Failures of upstreams as sentences for whoever runs the proxy: what failed, why, and what would help.

The caller learns only that its request failed; the cause may name hosts and certificates and is not for everyone. Each
upstream and reason is told of once a minute, however many requests fail by it.
"""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.upstream.errors import UpstreamError

_AGAIN_AFTER = 60.0
_MAX_REMEMBERED = 1024
_REMEDIES = {
    ReplyReason.UPSTREAM_UNTRUSTED: (
        "Trust its authority with --upstream-ca FILE, or correct the name that it must carry."
    ),
    ReplyReason.UPSTREAM_UNRESOLVED: "Correct the host, or pin it with --resolve HOST:PORT=ADDR:PORT.",
    ReplyReason.UPSTREAM_UNREACHABLE: "Check that it listens there and may be reached from here.",
    ReplyReason.UPSTREAM_CONNECT_TIMEOUT: "Check that it may be reached from here.",
    ReplyReason.UPSTREAM_TIMEOUT: "If it may take so long, allow more with --set timeouts.response_head=SECONDS.",
    ReplyReason.UPSTREAM_STALLED: (
        "If it may pause so long, allow more with --set timeouts.response_idle=SECONDS, for event streams stream_idle."
    ),
    ReplyReason.EXCHANGE_TIMEOUT: "If requests may take so long, allow more with --set timeouts.request=SECONDS.",
    ReplyReason.UPSTREAM_OVERLOAD: "Allow more with --set limits.upstream_connections=NUMBER.",
    ReplyReason.RESPONSE_UNDECODABLE: "It was asked for no coding; correct it, or whatever stands before it.",
    ReplyReason.RESPONSE_EXPANDS: "If it is meant to, allow more with --set limits.expansion=NUMBER.",
    ReplyReason.ADDRESS_REFUSED: "If it is meant to be reached, allow its network with --set allow_cidrs=NETWORK.",
}


class Complaints:
    """``report`` takes one sentence or two."""

    def __init__(self, *, report: Callable[[str], None]) -> None:
        self._report = report
        self._told: dict[tuple[str, str], float] = {}

    def about(self, upstream: str, error: UpstreamError, *, now: float) -> None:
        """Tell of a failure, unless the same was told a moment ago. ``now`` is monotonic, in seconds."""
        remedy = _REMEDIES.get(error.reason, "")
        self._tell((upstream, error.reason), f"Upstream {upstream}: {error.detail} {remedy}".strip(), now=now)

    def ejected(self, upstream: str, endpoint: str, *, seconds: float, error: UpstreamError, now: float) -> None:
        """Tell of an endpoint that gets no requests for so long, and of the failure that was the last straw."""
        sentence = f"Upstream {upstream}: {endpoint} failed again and again, and gets no requests for {seconds:g} s."
        self._tell((upstream, endpoint), f"{sentence} {error.detail}", now=now)

    def _tell(self, subject: tuple[str, str], sentence: str, *, now: float) -> None:
        if now - self._told.get(subject, -_AGAIN_AFTER) < _AGAIN_AFTER:
            return
        if len(self._told) >= _MAX_REMEMBERED:
            self._told.clear()
        self._told[subject] = now
        self._report(sentence)
