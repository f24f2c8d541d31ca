"""The response on its way to the caller, and what is known of it once it has begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wardgate.proxy.core.http1.framing import (
    CHUNKED,
    LAST_CHUNK,
    LENGTH,
    NO_BODY,
    UNTIL_CLOSE,
    chunk,
    response_framing,
    write_response_head,
)
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.trailers import last_chunk, response_trailers, takes_trailers
from wardgate.proxy.core.http1.upgrades import SWITCHING_PROTOCOLS, Upgrade, with_fields
from wardgate.proxy.core.messages import Header, HeaderList, Incoming, Reply
from wardgate.proxy.io.downstream.outbox import Outbox

_CALLER_GONE: Final = 499
"""The status a log shows where nobody was left to answer, as nginx has it."""


def reply_bytes(reply: Reply, own: Sequence[Header], *, close: bool, head_request: bool = False) -> bytes:
    """Serialise an answer of the gateway's own; ``own``: the headers that each of them carries."""
    headers = [*reply.headers, *own]
    head = write_response_head(status=reply.status, headers=headers, length=len(reply.body), chunked=False, close=close)
    return head if head_request else head + reply.body


class ResponseWriter:
    """One response. ``keep_alive`` may be taken back until it has ``started``.

    Its head waits for what comes with it of the body, so that both are one write: a write costs a twentieth of a
    request. ``flush`` sends it without.
    """

    __slots__ = (
        "_framing",
        "_head",
        "_http_1_0",
        "_incoming",
        "_is_transformed",
        "_outbox",
        "asked_head",
        "keep_alive",
        "sent_bytes",
        "started",
        "status",
        "takes_trailers",
    )

    def __init__(self, outbox: Outbox, head: RequestHead) -> None:
        self._outbox = outbox
        self.asked_head = head.method == b"HEAD"
        self.takes_trailers = takes_trailers(head)
        """Whether trailers go on behind the body."""
        self._is_transformed = False
        self._incoming: Incoming | None = None
        self._http_1_0 = head.http_1_0
        self._head = b""
        self._framing = LENGTH
        self.keep_alive = head.keep_alive
        self.started = False
        self.status = 0
        self.sent_bytes = 0

    def transformed(self) -> None:
        """Plans have a say in the response: nothing passes that they would not see."""
        self._is_transformed = True
        self.takes_trailers = False

    def relay_informational(self, incoming: Incoming) -> None:
        """Write an upstream's response before the last one."""
        if not self._is_transformed:
            self.informational(incoming.status, incoming.headers)

    def informational(self, status: int, headers: HeaderList) -> None:
        """Write a response before the last one, which an HTTP/1.0 caller must not get (RFC 9110, 15.2)."""
        if not (self.started or self._http_1_0):
            self._outbox.write(
                write_response_head(status=status, headers=headers, length=None, chunked=False, close=False)
            )

    def switch(self, headers: HeaderList, upgrade: Upgrade) -> None:
        """Write the head behind which another protocol begins."""
        self.status = SWITCHING_PROTOCOLS
        self.started = True
        self.keep_alive = False
        self._framing = UNTIL_CLOSE
        head = write_response_head(status=self.status, headers=headers, length=None, chunked=False, close=False)
        self._outbox.write(with_fields(head, upgrade.fields))

    def begin(self, incoming: Incoming, *, length: int | None) -> None:
        """Begin a response that streams; ``length`` None: not known beforehand."""
        self._framing, announced = response_framing(
            incoming.status, length=length, head_request=self.asked_head, http_1_0=self._http_1_0
        )
        if self._framing is UNTIL_CLOSE:
            self.keep_alive = False
        if self.takes_trailers:
            self._incoming = incoming
        self._make_head(incoming.status, incoming.headers, length=announced)

    def resume(self, sent: int) -> None:
        """The head, and so many bytes of the body, are out already. It announced no end of the connection."""
        self.keep_alive = True
        self._head = b""
        self.sent_bytes = sent

    def piece(self, data: bytes) -> None:
        """Write a piece of the body; a caller that asked with HEAD gets none, whatever was asked of the upstream."""
        framing = self._framing
        if framing is NO_BODY:
            return
        self.sent_bytes += len(data)
        if framing is CHUNKED:
            data = chunk(data)
        if self._head:
            self._write(data)
        else:
            self._outbox.write(data)

    def flush(self) -> None:
        """Nothing of the body has come with the head."""
        if self._head:
            self._write(b"")

    def end(self) -> None:
        """The body is complete."""
        if self._framing is CHUNKED:
            incoming = self._incoming
            self._write(LAST_CHUNK if incoming is None else last_chunk(response_trailers(incoming.trailers)))
        else:
            self.flush()

    def whole(self, incoming: Incoming) -> None:
        """Write a response whose body is known."""
        body = incoming.body or b""
        self._framing, _ = response_framing(
            incoming.status, length=len(body), head_request=self.asked_head, http_1_0=self._http_1_0
        )
        has_body = self._framing is LENGTH
        self._make_head(incoming.status, incoming.headers, length=len(body) if has_body else None)
        if body and has_body:
            self.piece(body)
        else:
            self.flush()

    def abandon(self) -> None:
        """Nobody is left to answer."""
        self.status = self.status or _CALLER_GONE

    def reply(self, reply: Reply, own: Sequence[Header]) -> None:
        """Write an answer of the gateway's own."""
        self.status = reply.status
        self.started = True
        self.sent_bytes = 0 if self.asked_head else len(reply.body)
        self._outbox.write(reply_bytes(reply, own, close=not self.keep_alive, head_request=self.asked_head))

    def _make_head(self, status: int, headers: HeaderList, *, length: int | None) -> None:
        self.status = status
        self.started = True
        chunked = self._framing is CHUNKED
        self._head = write_response_head(
            status=status, headers=headers, length=length, chunked=chunked, close=not self.keep_alive
        )

    def _write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        self._outbox.write(head + data)
