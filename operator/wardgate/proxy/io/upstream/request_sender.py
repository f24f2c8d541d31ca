"""The request on its way to an upstream: its head, and the body that streams past or was replaced.

What arrives before there is a connection is held here, up to a bound at which the caller is paused.
"""

from __future__ import annotations

from wardgate.proxy.core.http1.framing import LAST_CHUNK, chunk, write_request_head
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.io.upstream.connection import ResponseSink, UpstreamConnection

_HELD = 64 * 1024
"""Bytes of a body held while there is no connection, before the caller is paused."""
_SENDS_LENGTH = frozenset({b"POST", b"PUT", b"PATCH"})
_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})


class RequestSender:
    """One request. ``outgoing`` is what the core decided to send; ``streams``: the caller's body goes past it.

    ``mark`` goes with it, whatever a transformation made of its headers.
    """

    __slots__ = (
        "_body_sent",
        "_chunked",
        "_connection",
        "_first",
        "_head",
        "_held",
        "_held_bytes",
        "_mark",
        "asked_head",
        "outgoing",
        "streams",
    )

    def __init__(self, outgoing: Outgoing, head: RequestHead, *, mark: LoopMark) -> None:
        self.outgoing = outgoing
        self._mark = mark
        self.asked_head = outgoing.method == b"HEAD"
        """Whether the upstream is asked for a head only."""
        self.streams = outgoing.body is None
        self._head = head
        self._chunked = self.streams and head.chunked
        self._connection: UpstreamConnection | None = None
        self._first = b""
        """The head, while it waits for what came with it of the body, so that both are one write."""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._body_sent = False

    @property
    def overfull(self) -> bool:
        """Whether the caller should wait."""
        return self._held_bytes > _HELD

    def begin(self, connection: UpstreamConnection, sink: ResponseSink, *, endpoint_host: bytes, at_once: bool) -> None:
        """Send the head, and what was held. ``endpoint_host``: what ``autoHostRewrite`` puts in place of the host.

        Unless ``at_once``, the head of a request whose body streams waits for ``piece``, ``end`` or ``flush``.
        """
        self._connection = connection
        connection.start(sink, head_request=self.asked_head)
        self._first = self._head_bytes(endpoint_host)
        if self._held:
            held, self._held, self._held_bytes = self._held, [], 0
            self._send(b"".join(held))
        elif at_once or not (self.streams and self._head.has_body):
            self.flush()

    def flush(self) -> None:
        """Nothing of the body has come with the head."""
        if self._first and self._connection is not None:
            self._connection.write(self._first)
            self._first = b""

    def piece(self, data: bytes) -> None:
        """A piece of the caller's body."""
        self._send(chunk(data) if self._chunked else data)

    def end(self) -> None:
        """The caller's body is complete."""
        if self._chunked:
            self._send(LAST_CHUNK)

    def withdraw(self) -> None:
        """The connection is gone; what follows is held for the next one."""
        self._connection = None

    def may_repeat(self, connection: UpstreamConnection) -> bool:
        """Whether the request cannot have been served on a connection that broke, and may be sent again.

        It had been idle, nothing came back on it, nothing of a body was streamed, and the method is safe to repeat.
        """
        fresh = connection.used <= 1
        return not (fresh or connection.response_started or self._body_sent) and self.outgoing.method in _REPEATABLE

    def _send(self, data: bytes) -> None:
        if self._connection is not None:
            self._body_sent = True
            self._connection.write(self._first + data)
            self._first = b""
        else:
            self._held.append(data)
            self._held_bytes += len(data)

    def _head_bytes(self, endpoint_host: bytes) -> bytes:
        outgoing = self.outgoing
        headers = [*outgoing.headers, self._mark.after(self._head.passed)]
        if outgoing.auto_host and endpoint_host:
            headers = [(b"host", endpoint_host), *(field for field in headers if field[0] != b"host")]
        body = b"" if outgoing.body is None else outgoing.body
        length = self._head.content_length if self.streams else len(body) or None
        if length is None and not self._chunked and outgoing.method in _SENDS_LENGTH:
            length = 0
        head = write_request_head(
            method=outgoing.method, target=outgoing.target, headers=headers, length=length, chunked=self._chunked
        )
        return head + body
