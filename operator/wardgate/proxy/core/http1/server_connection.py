"""The reading side of a caller's connection: bytes go in, requests and the pieces of their bodies come out.

Rule 1: requests are read one at a time and in their order. Early requests wait (RFC 9112, 9.3.2).
Rule 2: ``request_head`` decides once whether a body follows and how it is delimited: by its length (6.3, 6), by chunks
        (7.1) or not at all (6.3, 7). It ends where that says, and not where the response to it ends.
Rule 3: up to two empty lines before a request are passed over (2.2). They begin no head.
Rule 4: nothing is read behind a message that cannot be read or delimited: the connection ends (2.2, 6.3, 11.2).
Rule 5: a response that is whole before its request leaves the rest of the body to be read and dropped, and the next
        request is found behind it. Where too much is left, or the caller still waits for a sign to send it
        (RFC 9110, 10.1.1), the response is the last one.
Rule 6: once the connection is another protocol's (``upgrades``), what arrives is passed on as it comes.
Rule 7: a connection that ends while bytes of the caller are on their way is closed on the writing side alone, and what
        still comes is thrown away, within a bound: a reset would overtake the response (9.6).

All changes of state are moves of the table in ``server_states``. A move that it lacks is a bug of whoever drives the
connection, and raises ``KeyError``; no bytes of a caller lead there. The owner moves the bytes, keeps the time and
answers.
"""

from __future__ import annotations

from typing import Final

from wardgate.proxy.core.http1.chunked import ChunkedDecoder, ChunkedError
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.http1.server_states import MOVES, ServerEvent, ServerState
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_HEAD_END: Final = b"\r\n\r\n"
_BLANK_LINES: Final = 2
"""Empty lines before a request that are passed over: old callers end a body with one."""
_SLACK: Final = 64 * 1024
"""Bytes of an unwanted body, or of early requests, that are read rather than the connection closed."""
_DISCARDED: Final = 16 * _SLACK
"""Bytes that are thrown away so that a caller can read its response."""

_AROUND_TARGET: Final = 64
"""Bytes of a request line besides its target: method and version."""

_BLANK: Final = b"\r\n"

# On Python 3.11 a member costs five times as much by its class as by a name of its own.
IDLE: Final = ServerState.IDLE
HEAD: Final = ServerState.HEAD
BODY: Final = ServerState.BODY
ANSWERING: Final = ServerState.ANSWERING
LEFTOVER: Final = ServerState.LEFTOVER
SWITCHED: Final = ServerState.SWITCHED
DISCARDING: Final = ServerState.DISCARDING
_REQUEST: Final = ServerEvent.REQUEST
_REQUEST_WITH_BODY: Final = ServerEvent.REQUEST_WITH_BODY
_BODY_ENDS: Final = ServerEvent.BODY_ENDS
_ANSWERED: Final = ServerEvent.ANSWERED

_ANSWERABLE: Final = frozenset({ANSWERING, SWITCHED})
_HELD: Final = frozenset({IDLE, HEAD, ANSWERING})
"""Bytes that arrive belong to a request that was not read yet."""
_SENDING: Final = frozenset({BODY, SWITCHED, ServerState.LEFTOVER, ServerState.BROKEN, ServerState.REFUSED})
"""The caller may be in the middle of sending a message."""


class ServerConnection:
    """``receive`` what arrives, then ask for ``next_request`` until there is none; tell when one is ``answered``.

    ``head_bytes``: of the longest head; ``target_bytes``: of its target; ``header_count``: fields of the longest.
    """

    __slots__ = (
        "_at",
        "_blank_lines",
        "_discarded",
        "_expects",
        "_head_bytes",
        "_header_count",
        "_remaining",
        "_room",
        "_scanned",
        "_target_bytes",
        "buffer",
        "chunks",
        "state",
        "trailers",
    )

    def __init__(self, *, head_bytes: int, target_bytes: int, header_count: int) -> None:
        self.state = ServerState.IDLE
        self._head_bytes = head_bytes
        self._target_bytes = target_bytes
        self._header_count = header_count
        self._room = _SLACK + head_bytes
        self.buffer = b""
        """Bytes that were not read yet; empty once no request is served any more."""
        self._at = 0
        """Bytes at its beginning that were read, after all; never all of them."""
        self._scanned = 0
        """Bytes of its head in which no end begins."""
        self._blank_lines = 0
        self._remaining = 0
        """Bytes of a body with a length that are still to come."""
        self.chunks: ChunkedDecoder | None = None
        """Reads a body in chunks, while there is one."""
        self.trailers: HeaderList = []
        """Fields behind the last body in chunks."""
        self._expects = False
        """Whether the caller said that it waits for a sign before it sends the body."""
        self._discarded = 0

    @property
    def behind(self) -> bool:
        """Whether chunks are so small that not all that arrived was read: ask ``receive`` again, with nothing."""
        return self.chunks is not None and self.chunks.behind

    @property
    def has_room(self) -> bool:
        """Whether more may arrive: neither early requests nor tiny chunks wait beyond the bound."""
        chunks = self.chunks
        return len(self.buffer) - self._at <= self._room and (chunks is None or not chunks.behind)

    @property
    def may_be_awaited(self) -> bool:
        """Whether a caller that sends no more may still wait for something: nothing is missing of its requests."""
        return self.state in _ANSWERABLE or (self.state is IDLE and bool(self.buffer))

    @property
    def invitation(self) -> bytes:
        """The sign that the caller waits for before it sends the body (RFC 9110, 10.1.1); empty: it waits for none."""
        return CONTINUE if self._expects and self.state is BODY else b""

    # Bytes.

    def receive(self, data: bytes) -> bytes | ReplyReason | None:
        """Take what arrived. Returns the bytes of a body in it, which may be none yet, or why the body is broken.

        None: it is kept for ``next_request``, or belongs to nothing that is served. Of another protocol it is all.
        """
        state = self.state
        if state is BODY:
            return self._read_body(data)
        if state in _HELD:
            if self._at:
                self.buffer, self._at = self.buffer[self._at :], 0
            self.buffer += data
            return None
        if state is SWITCHED:
            return data
        return self._read_body(data) if state is ServerState.LEFTOVER else None

    def next_request(self) -> RequestHead | ReplyReason | None:
        """Read the next head, or say why it is refused; None: it is not complete, or not its turn.

        The state then is ``ANSWERING``, or ``BODY``: what came of the body with the head is had by ``receive(b"")``.
        """
        state, buffer = self.state, self.buffer
        if not buffer or (state is not IDLE and state is not HEAD):
            return None
        if state is IDLE and buffer[self._at] in _BLANK and not self._head_begins():
            return ReplyReason.BAD_REQUEST_LINE if self.state is ServerState.REFUSED else None
        at = self._at
        end = buffer.find(_HEAD_END, at + self._scanned)
        if end < 0:
            return self._await_head(len(buffer) - at)
        if end - at > self._head_bytes:
            return self._refuse_size()
        end += len(_HEAD_END)
        head = parse_request_head(buffer[at:end], max_headers=self._header_count)
        if isinstance(head, RequestHead) and len(head.target) > self._target_bytes:
            head = ReplyReason.TARGET_TOO_LONG
        if isinstance(head, ReplyReason):
            return self.refuse(head)
        self._at = end
        self._scanned = self._blank_lines = 0
        if end == len(buffer):
            self.buffer, self._at = b"", 0
        if head.has_body:
            self._expects = head.expect_continue
            self._remaining = head.content_length or 0
            self.chunks = ChunkedDecoder() if head.chunked else None
            self.state = MOVES[state][_REQUEST_WITH_BODY]
        else:
            self.state = MOVES[state][_REQUEST]
        return head

    def pass_by(self) -> None:
        """A request came whole, body and all, and was read by somebody else."""
        self._blank_lines = 0
        self.state = MOVES[self.state][_REQUEST]

    def _head_begins(self) -> bool:
        """Pass over a few empty lines; return whether a head's first byte is behind them.

        They do not begin a head: a caller may send its empty line after a body and then say nothing.
        """
        buffer, at = self.buffer, self._at
        while (pair := buffer[at : at + 2]) == b"\r\n" and self._blank_lines < _BLANK_LINES:
            at += 2
            self._blank_lines += 1
        if not pair:
            self.buffer, self._at = b"", 0
            return False
        self._at = at
        if pair == b"\r":
            return False  # perhaps the first half of an empty line
        if pair[0] in _BLANK:
            self.refuse(ReplyReason.BAD_REQUEST_LINE)
            return False
        return True

    def _await_head(self, size: int) -> ReplyReason | None:
        """So many bytes of a head are here, and its end is not. It may be cut in the middle of these four bytes."""
        if size > self._head_bytes + len(_HEAD_END) - 1:
            return self._refuse_size()
        self._scanned = max(0, size - len(_HEAD_END) + 1)
        if self.state is IDLE:
            self._move(ServerEvent.HEAD_BEGINS)
        return None

    def _refuse_size(self) -> ReplyReason:
        """Refuse a head that is too large, by the target alone where its line has no end within the bound."""
        longest = self._at + self._target_bytes + _AROUND_TARGET
        is_long = self.buffer.find(b"\r\n", self._at, longest) < 0
        return self.refuse(ReplyReason.TARGET_TOO_LONG if is_long else ReplyReason.HEAD_TOO_LARGE)

    def _read_body(self, data: bytes) -> bytes | ReplyReason:
        if self.buffer:
            # It came with the head. From here on nothing is held until the body has ended.
            data = self.buffer[self._at :] + data
            self.buffer, self._at = b"", 0
        if self.chunks is not None:
            return self._read_chunks(self.chunks, data)
        remaining = self._remaining
        if len(data) < remaining:
            self._remaining = remaining - len(data)
            return data
        self.buffer = data[remaining:]
        self.state = MOVES[self.state][_BODY_ENDS]
        return data[:remaining]

    def _read_chunks(self, chunks: ChunkedDecoder, data: bytes) -> bytes | ReplyReason:
        try:
            piece = chunks.feed(data)
        except ChunkedError:
            self._move(ServerEvent.BODY_BREAKS)
            self._forget()
            return ReplyReason.BAD_CHUNK
        if chunks.done:
            self.buffer, self.chunks, self.trailers = chunks.rest, None, chunks.trailers
            self.state = MOVES[self.state][_BODY_ENDS]
        return piece

    # Answers.

    def must_close(self, *, sent_on: bool) -> bool:
        """Whether a response that begins now has to be the last one (rule 5); ``sent_on``: its request went upstream.

        A caller that waits for a sign, and gets an answer in its place, may send the body or leave it: nobody can tell.
        """
        if self.state is not BODY:
            return False
        return (self._expects and not sent_on) or self.chunks is not None or self._remaining > _SLACK

    def answered(self) -> None:
        """The response is written, and the connection is kept."""
        self.state = MOVES[self.state][_ANSWERED]

    def switch(self) -> bytes:
        """The connection is another protocol's from now on; return what has arrived of it."""
        early = self.buffer[self._at :]
        self._forget()
        self._move(ServerEvent.SWITCH)
        return early

    def refuse(self, reason: ReplyReason) -> ReplyReason:
        """Serve neither the request that was read last nor one behind it; return the reason for the caller's answer."""
        self._move(ServerEvent.REFUSE)
        self._forget()
        return reason

    # Ends.

    def end(self, *, can_linger: bool) -> bool:
        """Serve nothing more. Returns whether to close the writing side alone, and to ``discard`` what still comes.

        ``can_linger``: the transport can close one side.
        """
        lingers = can_linger and self.state in _SENDING
        self._move(ServerEvent.LINGER if lingers else ServerEvent.CLOSE)
        self._forget()
        return lingers

    def discard(self, data: bytes) -> bool:
        """Throw away what still comes; return whether there may be more of it."""
        self._discarded += len(data)
        return self._discarded <= _DISCARDED

    def _forget(self) -> None:
        self.buffer, self._at, self.chunks = b"", 0, None

    def _move(self, event: ServerEvent) -> None:
        self.state = MOVES[self.state][event]
