"""The caller's body as it arrives: collected for a plan, streamed to an upstream, or dropped."""

from __future__ import annotations

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.downstream.collector import Collector
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.io.upstream.request_sender import RequestSender


class CallerBody:
    """``piece`` after ``piece``, then ``end``. Until ``collect`` or ``stream_to`` says otherwise, it is dropped.

    ``received`` counts its bytes. ``is_complete``: the caller has sent all of it.
    """

    __slots__ = ("_collector", "_deadlines", "_sender", "is_complete", "received")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._collector: Collector | None = None
        self._sender: RequestSender | None = None
        self.is_complete = False
        self.received = 0

    def collect(self, collector: Collector) -> None:
        """A plan reads the body."""
        self._collector = collector

    def stream_to(self, sender: RequestSender) -> None:
        """The body goes to the upstream as it comes."""
        self._sender = sender

    def await_more(self) -> None:
        """More is to come than came with the head."""
        if self._sender is not None:
            self._sender.flush()
            self._deadlines.await_body(collected=False)
        elif self._collector is not None:
            self._deadlines.await_body(collected=True)

    def piece(self, data: bytes) -> ReplyReason | None:
        """Take a piece, or say why there is no room for it."""
        self.received += len(data)
        if self._sender is not None:
            self._deadlines.body_came(len(data))
            self._sender.piece(data)
        elif self._collector is not None:
            self._deadlines.body_came(len(data))
            return self._collector.add(data)
        return None

    def take(self) -> bytes:
        """The whole body; it was collected."""
        assert self._collector is not None, "Asked only after ``collect``."
        return self._collector.take()

    def end(self) -> None:
        """The body is complete."""
        self.is_complete = True
        self._deadlines.body_ended()
        if self._sender is not None:
            self._sender.end()
