"""The records of requests: counts for the metrics, a line of the access log, and sentences about failing upstreams."""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.access_log import METHOD_BYTES, PATH_BYTES, AccessLog, shortened
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.messages import Facts, Reply
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.shared.complaints import Complaints
from wardgate.proxy.io.upstream.errors import UpstreamError


class Telemetry:
    """``log`` None: none is kept. ``clock`` is monotonic and ``now`` the wall's, both in seconds."""

    __slots__ = ("_clock", "_complaints", "_counters", "_log", "_now")

    def __init__(
        self,
        *,
        counters: Counters,
        log: AccessLog | None,
        complaints: Complaints,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._counters = counters
        self._log = log
        self._complaints = complaints
        self._clock = clock
        self._now = now

    def unreadable(self, reply: Reply, *, port: int, peer: str) -> None:
        """Account for a request that could not even be read."""
        self._counters.request(listener=str(port), route="", status=reply.status, reason=reply.reason, seconds=0.0)
        if self._log is not None:
            self._log.add(
                {
                    "time": self._now(),
                    "listener": str(port),
                    "caller": peer,
                    "status": reply.status,
                    "reason": reply.reason,
                }
            )

    def began(self) -> None:
        """A request is in flight; ``ended`` follows."""
        self._counters.in_flight += 1

    def ended(
        self,
        exchange: Exchange,
        *,
        method: bytes,
        path: bytes,
        peer: str,
        started: float,
        status: int,
        received: int,
        sent: int,
    ) -> None:
        """Account for a finished exchange.

        ``method`` and ``path`` are those that arrived, ``started`` is a moment of the clock, ``received`` and ``sent``
        are bytes of the caller's bodies.
        """
        facts = exchange.facts
        self._account(
            facts,
            request_id=exchange.redacted(facts.request_id.decode("latin-1")),
            line=(method, exchange.redacted(path.decode("latin-1"))),
            peer=peer,
            started=started,
            status=status,
            sizes=(received, sent),
        )

    def ended_fast(self, plain: PlainRequest, *, peer: str, started: float, status: int, sent: int) -> None:
        """Account for a plain request, whose key stands nowhere but in its own field."""
        assert plain.outcome is not None, "It was decided."
        bare = plain.way.bare
        self._counters.prepared += 1
        self._account(
            plain.outcome.facts,
            request_id=plain.request_id.decode("latin-1"),
            line=(bare.method, bare.path.decode("latin-1")),
            peer=peer,
            started=started,
            status=status,
            sizes=(max(plain.length, 0), sent),
        )

    def _account(
        self,
        facts: Facts,
        *,
        request_id: str,
        line: tuple[bytes, str],
        peer: str,
        started: float,
        status: int,
        sizes: tuple[int, int],
    ) -> None:
        method, path = line
        received, sent = sizes
        self._counters.in_flight -= 1
        seconds = self._clock() - started
        self._counters.request(
            listener=facts.listener, route=facts.route, status=status, reason=facts.reason, seconds=seconds
        )
        if self._log is not None:
            self._log.add(
                {
                    "time": round(self._now(), 3),
                    "listener": facts.listener,
                    "caller": peer,
                    "request_id": request_id,
                    "method": shortened(method.decode("latin-1"), METHOD_BYTES),
                    "path": shortened(path, PATH_BYTES),
                    "status": status,
                    "reason": facts.reason,
                    "route": facts.route,
                    "policy": facts.policy,
                    "key": facts.credential,
                    "upstream": facts.upstream,
                    "milliseconds": round(seconds * 1000, 3),
                    "received": received,
                    "sent": sent,
                }
            )

    def upstream_error(self, exchange: Exchange, error: UpstreamError) -> None:
        """Count a failure of an upstream, and tell whoever runs this proxy about it."""
        upstream = exchange.facts.upstream
        self._counters.upstream_error(upstream=upstream, reason=error.reason)
        self._complaints.about(upstream, error, now=self._clock())
