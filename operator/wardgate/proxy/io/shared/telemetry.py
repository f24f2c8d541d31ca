"""The records of requests: counts for the metrics, a line of the access log, and sentences about failing upstreams.

No line shows a query, a header's value that a caller chose (but for the ids of its request and trace), or a key
(invariant 7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from wardgate.proxy.access_log import AccessLog
from wardgate.proxy.core.fast_path.outcomes import PlainRefusal
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.fields.provider_ids import id_among
from wardgate.proxy.core.fields.trace_context import TRACEPARENT
from wardgate.proxy.core.messages import Facts, Reply, Request
from wardgate.proxy.core.redaction import REDACTED
from wardgate.proxy.counters import Counters, Series
from wardgate.proxy.io.shared.complaints import Complaints
from wardgate.proxy.io.upstream.errors import UpstreamError
from wardgate.proxy.log_line import origin, target
from wardgate.proxy.request_record import MICROSECONDS, UNKNOWN, RequestRecord
from wardgate.proxy.sampling import Sampling
from wardgate.text_codec import from_bytes, to_bytes

_ALL: Final = 1.0
_PERCENT: Final = ord("%")
_REDACTED: Final = to_bytes(REDACTED)


class Secrets(Protocol):
    """Whoever knows the secrets of a request."""

    def holds_secret(self, text: bytes) -> bool:
        """Whether one of them stands in a text as it is: the caller's key, or the provider's token."""

    def redacted(self, text: str) -> str:
        """Take the caller's keys out of a text, escaped ones too."""


class Telemetry:
    """``log`` None: none is kept. ``clock`` is monotonic and ``now`` the wall's, both in seconds."""

    __slots__ = ("_clock", "_complaints", "_counters", "_log", "_now", "_sampling", "_tells_all")

    def __init__(
        self,
        *,
        counters: Counters,
        log: AccessLog | None,
        sampling: Sampling,
        complaints: Complaints,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._counters = counters
        self._log = log
        self._sampling = sampling
        self._tells_all = sampling.fraction >= _ALL
        self._complaints = complaints
        self._clock = clock
        self._now = now

    def unreadable(self, reply: Reply, *, listener: str, peer: str) -> None:
        """Account for a request that could not even be read."""
        now = self._clock()
        record = RequestRecord(b"", b"", request_id=b"", peer=peer, started=now)
        record.status, record.sent = reply.status, len(reply.body)
        record.settle(now)
        series = self._counters.request(Facts(listener=listener, reason=reply.reason), record)
        if self._log is not None and self._is_logged(series, b""):
            self._write(series, record, policy="", log=self._log)

    def began(self) -> None:
        """A request is in flight; ``ended`` or ``ended_fast`` follows."""
        self._counters.in_flight += 1

    def record(self, request: Request, *, peer: str, started: float) -> RequestRecord:
        """Return the record of a request as it arrived; ``ended`` follows."""
        record = RequestRecord(request.method, request.path, request_id=request.request_id, peer=peer, started=started)
        if self._log is not None:
            for name, value in request.headers:
                if name == TRACEPARENT:
                    record.traceparent += value  # of two of them none is valid, nor are both together
        return record

    def ended(self, facts: Facts, record: RequestRecord, *, secrets: Secrets) -> None:
        """Account for a request. ``facts`` may be many requests' own, and are not changed but for what is ``kept``."""
        self._counters.in_flight -= 1
        record.settle(self._clock())
        series = self._counters.request(facts, record)
        log = self._log
        if log is None or not self._is_logged(series, record.request_id):
            return
        provider_id = record.provider_id = id_among(record.response_fields)
        record.response_fields = ()  # nothing of a response waits with the record until its line is made
        texts = b"\n".join((record.path, record.request_id, record.traceparent, record.method))
        # The provider has the token, a caller has not; and an escape may hide a key.
        if _PERCENT in texts or secrets.holds_secret(texts):
            record.path = _redacted(record.path, secrets)
            record.method = _redacted(record.method, secrets)
            record.request_id = _redacted(record.request_id, secrets)
            record.traceparent = _redacted(record.traceparent, secrets)
        if provider_id and secrets.holds_secret(provider_id):
            record.provider_id = _REDACTED
        self._write(series, record, policy=facts.policy, log=log)

    def ended_fast(
        self,
        plain: PlainRequest,
        *,
        peer: str,
        started: float,
        asked: float,
        first_byte: float,
        provider_id: bytes,
        status: int,
        sent: int,
    ) -> None:
        """Account for a plain request, whose key stands nowhere but in its own field.

        Moments are as in ``RequestRecord``, without a first byte where the body came in one piece.
        """
        counters, outcome, now = self._counters, plain.outcome, self._clock()
        assert outcome is not None, "It was decided."
        counters.in_flight -= 1
        counters.prepared += 1
        duration, upstream = int((now - started) * MICROSECONDS), int((now - asked) * MICROSECONDS)
        ttft = duration
        if first_byte:
            ttft = int((first_byte - started) * MICROSECONDS)
        elif not sent:
            ttft = UNKNOWN
        facts, overhead = outcome.facts, duration - upstream
        series = counters.count(facts, status, duration=duration, overhead=overhead, ttft=ttft)
        log = self._log
        if log is None or not (self._tells_all or self._is_logged(series, plain.request_id)):
            return
        if provider_id:
            for secret in outcome.secrets:
                if secret in provider_id:
                    provider_id = _REDACTED
        if not outcome.told:
            outcome.told = target(plain.way.bare.method, outcome.path, attempts=1)
        log.put(
            (
                series.origin or self._origin(series, policy=facts.policy),
                outcome.told,
                peer,
                plain.request_id,
                plain.traceparent,
                provider_id,
                self._now(),
                duration,
                overhead,
                upstream,
                ttft,
                plain.length if plain.length > 0 else 0,  # noqa: FURB136 - a call costs as much as three such lines
                sent,
            )
        )

    def refused_fast(self, plain: PlainRequest, refusal: PlainRefusal, *, peer: str, started: float) -> None:
        """Account for a plain request that was refused for its key."""
        counters = self._counters
        counters.in_flight -= 1
        counters.prepared += 1
        duration = int((self._clock() - started) * MICROSECONDS)
        facts, status = refusal.facts, refusal.reply.status
        series = counters.count(facts, status, duration=duration, overhead=duration, ttft=UNKNOWN)
        log = self._log
        if log is None:
            return
        if not refusal.told:
            refusal.told = target(plain.way.bare.method, plain.way.bare.path, attempts=0)
        log.put(
            (
                series.origin or self._origin(series, policy=facts.policy),
                refusal.told,
                peer,
                plain.request_id,
                plain.traceparent,
                b"",
                self._now(),
                duration,
                duration,
                UNKNOWN,
                UNKNOWN,
                0,  # the body was not asked for, so no byte of it counts
                0,
            )
        )

    def _is_logged(self, series: Series, request_id: bytes) -> bool:
        """Whether a request has a line: unless it went well, and is one of those that are left out."""
        return self._tells_all or not series.went_well or self._sampling.takes(request_id)

    def _write(self, series: Series, record: RequestRecord, *, policy: str, log: AccessLog) -> None:
        record.origin, record.ended_at = series.origin or self._origin(series, policy=policy), self._now()
        log.add(record)

    def _origin(self, series: Series, *, policy: str) -> str:
        series.origin = origin(
            listener=series.listener,
            route=series.route,
            policy=policy,
            key=series.key,
            upstream=series.upstream,
            status=series.status,
            reason=series.reason,
            sample=self._sampling.fraction if series.went_well else _ALL,
        )
        return series.origin

    def upstream_error(self, upstream: str, error: UpstreamError) -> None:
        """Count a failure of an upstream, and tell whoever runs this proxy about it."""
        self._counters.upstream_error(upstream=upstream, reason=error.reason)
        self._complaints.about(upstream, error, now=self._clock())

    def endpoint_ejected(self, upstream: str, endpoint: str, *, seconds: float, error: UpstreamError) -> None:
        """Count an endpoint that gets no requests for a while, and tell whoever runs this proxy about it."""
        self._counters.upstream_error(upstream=upstream, reason="endpoint_ejected")
        self._complaints.ejected(upstream, endpoint, seconds=seconds, error=error, now=self._clock())


def _redacted(text: bytes, secrets: Secrets) -> bytes:
    return to_bytes(secrets.redacted(from_bytes(text)))
