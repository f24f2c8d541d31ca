"""The caller's body as it arrives: collected for a plan, streamed to an upstream, or dropped."""

from __future__ import annotations

from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.downstream.collector import Collector
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.io.downstream.outbox import Outbox
from wardgate.proxy.io.upstream.request_sender import RequestSender


class CallerBody:
    """``piece`` after ``piece``, then ``end``. It is dropped while there is neither a ``collector`` nor a ``sender``.

    ``received`` counts its bytes. ``is_complete``: the caller has sent all of it.
    """

    __slots__ = ("_deadlines", "collector", "is_complete", "received", "sender")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.collector: Collector | None = None
        """Collects the body, because a plan reads it."""
        self.sender: RequestSender | None = None
        """Takes the body as it comes."""
        self.is_complete = False
        self.received = 0

    def invite(self, outbox: Outbox, requests: ServerConnection) -> None:
        """The caller waits for a sign before it sends the body."""
        outbox.write(requests.invitation)

    def await_more(self) -> None:
        """More is to come than came with the head."""
        if self.sender is not None:
            self.sender.flush()
            self._deadlines.await_body(collected=False)
        elif self.collector is not None:
            self._deadlines.await_body(collected=True)

    def piece(self, data: bytes) -> ReplyReason | None:
        """Take a piece, or say why there is no room for it."""
        self.received += len(data)
        if self.sender is not None:
            self._deadlines.body_came(len(data))
            self.sender.piece(data)
        elif self.collector is not None:
            self._deadlines.body_came(len(data))
            return self.collector.add(data)
        return None

    def take(self) -> bytes:
        """The whole body; it was collected."""
        assert self.collector is not None, "Asked only of a body that was collected."
        return self.collector.take()

    def end(self, trailers: HeaderList) -> None:
        """The body is complete; ``trailers`` go on behind it."""
        self.is_complete = True
        self._deadlines.body_ended()
        if self.sender is not None:
            self.sender.end(trailers)
