"""An upstream's response that a plan reads: collected whole, and decoded on the way where it came coded.

A response may expand a hundredfold, so it is decoded in turns, between which the worker serves others; what the
upstream sends meanwhile waits in its socket. Limits are counted on decoded bytes, and on those that arrive as well:
data can be made that decodes to nothing.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from wardgate.proxy.core.http1.content_coding import ContentDecoder, ExpandsTooFarError, content_decoder, decoded
from wardgate.proxy.core.http1.decoders import DecodingError
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.downstream.collector import Collector
from wardgate.proxy.io.upstream.errors import ResponseExpands, ResponseTooLarge, ResponseUndecodable, UpstreamError

_STEPS: Final = 16
"""Steps of one turn, each of about 64 KiB: a few milliseconds."""


class ResponseTaker(Protocol):
    """Who waits for the whole response."""

    def response_whole(self, incoming: Incoming) -> None:
        """It is complete, its body not coded."""

    def fail(self, error: UpstreamError) -> None:
        """It cannot be had, by the upstream's fault."""

    def refuse(self, reason: ReplyReason) -> None:
        """There is no room for it."""

    def upstream_held(self, *, held: bool) -> None:
        """Stop or go on reading from the upstream."""


class ResponseCollector:
    """``begin``, then ``add`` what comes and ``end``; after ``stop`` the taker hears nothing more."""

    __slots__ = ("_collector", "_decoder", "_ended", "_expansion", "_incoming", "_received", "_taker", "_turn")

    def __init__(self, incoming: Incoming, collector: Collector, *, taker: ResponseTaker, expansion: int) -> None:
        self._incoming = incoming
        self._collector = collector
        self._taker = taker
        self._expansion = expansion
        self._decoder: ContentDecoder | None = None
        self._received = 0
        self._ended = False
        self._turn: asyncio.Handle | None = None

    def begin(self) -> None:
        """See how the response is coded."""
        try:
            self._decoder = content_decoder(self._incoming, expansion=self._expansion)
        except DecodingError as error:
            self._taker.fail(ResponseUndecodable(f"The response cannot be read: {error}."))

    def add(self, data: bytes) -> None:
        """Take a piece of the body as it came."""
        if self._decoder is None:
            self._keep(data)
            return
        self._received += len(data)
        if self._received > self._collector.most:
            self._taker.fail(_too_large())
            return
        self._decoder.give(data)
        if self._turn is None:
            self._decode(self._decoder)

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        if self._decoder is None:
            self._incoming.body = self._collector.take()
            self._taker.response_whole(self._incoming)
        elif self._turn is None:
            self._decode(self._decoder)

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._turn is not None:
            self._turn.cancel()

    def _decode(self, decoder: ContentDecoder) -> None:
        """Take one turn."""
        # A turn of the loop is waiting exactly while the upstream is held.
        was_held, self._turn = self._turn is not None, None
        try:
            for _ in range(_STEPS):
                if decoder.behind and not self._keep(decoder.step()):
                    return
            if self._ended and not decoder.behind:
                decoder.end()
        except ExpandsTooFarError as expands:
            self._taker.fail(ResponseExpands(f"The response cannot be read: {expands}."))
            return
        except DecodingError as error:
            self._taker.fail(ResponseUndecodable(f"The response cannot be read: {error}."))
            return
        if decoder.behind:
            self._turn = asyncio.get_running_loop().call_soon(self._decode, decoder)
        if was_held is not decoder.behind:
            self._taker.upstream_held(held=decoder.behind)
        if self._ended and not decoder.behind:
            decoded(self._incoming, self._collector.take())
            self._taker.response_whole(self._incoming)

    def _keep(self, data: bytes) -> bool:
        """Keep a piece of the body; False: there is no room for it, and the taker knows."""
        refusal = self._collector.add(data) if data else None
        if refusal is not None:
            if refusal is ReplyReason.BODY_TOO_LARGE:
                self._taker.fail(_too_large())
            else:
                self._taker.refuse(refusal)
        return refusal is None


def _too_large() -> ResponseTooLarge:
    return ResponseTooLarge("The response is larger than a plan may buffer.")
