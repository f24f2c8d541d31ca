"""A caller's connection for which there is no room: its first request is answered with the reason, and nothing is read.

An answer tells a client library when to try again, where a reset says nothing. It is cheap, and bounded in number and
in time, so that a flood costs little more than closing at once. Beyond the bound it is closed at once.
"""

from __future__ import annotations

import asyncio

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.io.downstream.response_writer import reply_bytes
from wardgate.proxy.io.shared.context import WorkerContext

_SECONDS = 2.0
"""For the request to begin, and for the caller to read the answer."""
_DISCARDED = 64 * 1024
"""Bytes of requests that are thrown away so that the caller can read the answer."""


def turn_away(transport: asyncio.Transport, reason: ReplyReason, *, context: WorkerContext) -> None:
    """End a connection that was not admitted; ``reason`` is the answer's."""
    if context.callers.may_turn_away():
        answer = reply_bytes(REFUSALS[reason], context.reply_headers.fields(), close=True)
        transport.set_protocol(TurnedAway(transport, answer, context=context))
    else:
        transport.abort()


class TurnedAway(asyncio.Protocol):
    """Made by ``turn_away``. The transport is its from now on."""

    __slots__ = ("_answer", "_context", "_discarded", "_end", "_transport")

    def __init__(self, transport: asyncio.Transport, answer: bytes, *, context: WorkerContext) -> None:
        self._transport = transport
        self._answer = answer
        self._context = context
        self._discarded = 0
        self._end = asyncio.get_running_loop().call_later(_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Answer the first bytes, and throw away all of them."""
        answer, self._answer = self._answer, b""
        if answer:
            self._transport.write(answer)
            # The caller may be sending still, and a reset would overtake the answer.
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        self._discarded += len(data)
        if self._discarded > _DISCARDED:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another one."""
        self._end.cancel()
        self._context.callers.turned_away -= 1
