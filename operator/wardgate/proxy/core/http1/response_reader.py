"""The reading side of a connection to an upstream: bytes go in, one response for each request comes out.

Rule 1: how a response is delimited is decided once, when its head is complete, in the order of RFC 9112, 6.3: no body
        (the answer to HEAD, 204, 304), chunks, a length, or the end of the connection. llhttp, which reads the bytes
        and has refused lengths that are none or many, decides alike, but knows nothing of HEAD. Where it takes a coding
        for another one, the response is refused.
Rule 2: informational responses (RFC 9110, 15.2) come before the response, up to a bound. One that is framed is none. A
        switch of protocols is the last one, where the request asked for it (``upgrades``), and none elsewhere.
Rule 3: trailers are kept apart from the head (RFC 9112, 7.1.2); which of them go on is said in ``trailers``.
Rule 4: a head, a chunk's size or trailers that go on beyond the bound are a broken response.
Rule 5: a connection that ends within a response has broken it (RFC 9112, 8), except where its end is the body's end.
        One that ends before a byte came back leaves open whether the request was served (9.3.1).
Rule 6: bytes behind a response are nobody's answer (RFC 9112, 6.3): the response stands, and the connection carries no
        other one. Nor does it after a response that says so, or that only the connection's end delimits (9.3).

All changes of state are moves of the table in ``response_states``. A move that it lacks is a bug of whoever drives the
connection, and raises ``KeyError``; no bytes of an upstream lead there. Whether the request is whole is known to the
owner: it closes the connection where a response came before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import httptools

from wardgate.proxy.core.fields.folded import Taken, end_to_end
from wardgate.proxy.core.grammar import PROXY_WRITTEN, members, spellings
from wardgate.proxy.core.http1.framing import is_bodiless
from wardgate.proxy.core.http1.response_states import MOVES, ResponseEvent, ResponseState
from wardgate.proxy.core.http1.upgrades import SWITCHING_PROTOCOLS, Upgrade
from wardgate.proxy.core.messages import HeaderList, Incoming
from wardgate.proxy.core.replies import ERROR_SOURCE

Arrival: TypeAlias = Incoming | bytes
"""A head, or a piece of the body behind the last one: of all heads only the last has a status above 199, or 101."""

NOT_THE_UPSTREAMS: Final = PROXY_WRITTEN | spellings({ERROR_SOURCE[0].decode()})
"""Fields that end here, or that the gateway alone may say."""
_BLANKS: Final = (b" ", b"\t")
_NOTHING: Final[tuple[Arrival, ...]] = ()
_UNCODED: Final = (b"",)
_TOO_LARGE: Final = "The response's head or trailers are too large."

# On Python 3.11 a member costs five times as much by its class as by a name of its own.
IDLE: Final = ResponseState.IDLE
BODY: Final = ResponseState.BODY
UNTIL_CLOSE: Final = ResponseState.UNTIL_CLOSE
SWITCHED: Final = ResponseState.SWITCHED
LAST: Final = ResponseState.LAST
BROKEN: Final = ResponseState.BROKEN
_REQUEST: Final = ResponseEvent.REQUEST
_BODY: Final = ResponseEvent.BODY
_END: Final = ResponseEvent.END
_LAST_END: Final = ResponseEvent.LAST_END

_WHOLE: Final = frozenset({IDLE, LAST})
_BEFORE_BODY: Final = frozenset({ResponseState.ASKED, ResponseState.HEAD})
_READING: Final = _BEFORE_BODY | {BODY, UNTIL_CLOSE}


_NO_PARSER: Final = httptools.HttpResponseParser(object())
"""Of readers that have ended."""


class _NoResponseError(Exception):
    """Stops llhttp."""


class ResponseReader:
    """``begin`` with each request, then ``receive`` what arrives and look at the state.

    ``max_head``: bytes of the longest head; ``max_informational``: responses of this kind before another. ``length``,
    of the response that came last: None where its head gives none.
    ``fault``: a sentence, once the state is ``BROKEN`` by what arrived.
    """

    __slots__ = (
        "_arrived",
        "_head_request",
        "_header_bytes",
        "_headers",
        "_idle_bytes",
        "_incoming",
        "_informational",
        "_max_head",
        "_max_informational",
        "_parser",
        "_pieces",
        "_reusable",
        "_upgrade",
        "fault",
        "length",
        "state",
    )

    def __init__(self, *, max_head: int, max_informational: int) -> None:
        self.state = ResponseState.IDLE
        self.length: int | None = None
        self.fault = ""
        self._max_head = max_head
        self._max_informational = max_informational
        self._informational = 0
        self._incoming: Incoming | None = None
        """The head whose body is read."""
        self._upgrade: Upgrade | None = None
        self._head_request = False
        self._reusable = False
        """Whether the head lets another response follow."""
        self._arrived: list[Arrival] = []
        self._pieces: list[bytes] = []
        self._headers: HeaderList = []
        self._header_bytes = 0
        """Of all heads of this response, and of its trailers."""
        self._idle_bytes = 0
        """Bytes since the final head, or since the last piece of the body, that brought neither."""
        self._parser = httptools.HttpResponseParser(self)

    @property
    def has_begun(self) -> bool:
        """Whether a byte came back since the request went out: it may have been served."""
        return self.state is not ResponseState.ASKED and self.state is not ResponseState.UNANSWERED

    def begin(self, *, head_request: bool, upgrade: Upgrade | None = None) -> None:
        """A request goes out; ``head_request``: its method is HEAD, whose answer has no body whatever its head says.

        ``upgrade``: it asks for another protocol.
        """
        self.state = MOVES[self.state][_REQUEST]
        if self._head_request:
            # llhttp waits for the body that the last head announced.
            self._parser = httptools.HttpResponseParser(self)
        self._head_request = head_request
        self._upgrade = upgrade
        self._headers = []
        self._header_bytes = self._idle_bytes = self._informational = 0

    def receive(self, data: bytes) -> Sequence[Arrival]:
        """Take what arrived; return what it holds of the response, in order. Bytes behind the response are dropped."""
        state = self.state
        if state is not BODY and state not in _READING:
            if state is SWITCHED:
                return (data,)
            if state is IDLE:
                self._move(ResponseEvent.EXCESS)
            return _NOTHING
        try:
            if self._head_request:
                self._read_head_alone(data)
            else:
                self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._take_switched(data[switch.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(self.fault or f"The response is not HTTP/1.1: {type(error).__name__}.")
        arrived = self._arrived
        if self._pieces:
            # Chunks that came at once go on as one piece.
            arrived.append(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
            self._pieces = []
        if arrived:
            self._arrived = []
            self._idle_bytes = 0
        else:
            self._take_idle_bytes(len(data))
        return arrived

    def _take_switched(self, data: bytes) -> None:
        """Take what came behind a 101, which llhttp has not read."""
        if self.state is not SWITCHED:
            self._fail("The upstream switched protocols.")
        elif data:
            self._arrived.append(data)

    def _take_idle_bytes(self, count: int) -> None:
        """Bound the bytes of which nothing comes (rule 4)."""
        self._idle_bytes += count
        if self.state in _READING and self._idle_bytes > self._max_head:
            self._fail(_TOO_LARGE)
        elif self.state is ResponseState.ASKED:
            self._move(ResponseEvent.BYTES)

    def _read_head_alone(self, data: bytes) -> None:
        """Read the answer to HEAD, whose last byte is the last of the response.

        llhttp would go on into the body that the head announces, and tells nobody where the head ended. So the last
        byte is fed by itself: a head that is complete without it has something behind it.
        """
        self._parser.feed_data(data[:-1])
        if self.state in _WHOLE:
            self._move(ResponseEvent.EXCESS)
        else:
            self._parser.feed_data(data[-1:])

    def close(self, *, clean: bool) -> bool:
        """The connection has ended; return whether that completes the response. ``clean``: without an error."""
        completes = clean and (self.state is UNTIL_CLOSE or self.state is SWITCHED)
        self._parser = _NO_PARSER  # the other one holds this object
        self._move(ResponseEvent.CLOSE if clean else ResponseEvent.CUT)
        return completes

    def _fail(self, fault: str) -> None:
        if self.state in _WHOLE:
            self._move(ResponseEvent.EXCESS)
        else:
            self.fault = fault
            self._move(ResponseEvent.FAULT)

    def _move(self, event: ResponseEvent) -> None:
        self.state = MOVES[self.state][event]

    # Calls of llhttp.

    def on_message_begin(self) -> None:
        """Begin a head. Behind a whole response it is nobody's."""
        if self.state is IDLE:
            self._move(ResponseEvent.EXCESS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; after the head these are trailers, or of a response that nobody asked for."""
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._max_head:
            self._stop(_TOO_LARGE)
        if self.state in _BEFORE_BODY:
            name = name.lower()
            # llhttp leaves the blanks behind a value, which are none of it (RFC 9110, 5.5). What it reads itself stays
            # as it has read it: a framing that is good without its blanks was none to it.
            if value[-1:] in _BLANKS and name not in NOT_THE_UPSTREAMS:
                value = value.rstrip(b" \t")
            self._headers.append((name, value))
        elif self._incoming is not None:
            self._incoming.trailers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """Decide how the response is delimited, and whether another one may follow it."""
        if self.state is LAST:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._take_informational(status)
            return
        headers, taken, _ = end_to_end(self._headers, special=NOT_THE_UPSTREAMS)
        lengths = taken.get(b"content-length")
        length = self.length = int(lengths[0]) if lengths else None
        self._reusable = self._parser.should_keep_alive()
        empty = length == 0 or is_bodiless(status=status, head_request=self._head_request)
        ends = empty or length is not None or self._is_chunked(taken)
        self._incoming = Incoming(status, headers, b"" if empty else None, self._headers)
        self._arrived.append(self._incoming)
        self._headers = []  # they are the response's, which may hold secrets; the connection outlasts it
        if self._head_request:
            self._end()
        elif ends:
            self.state = MOVES[self.state][_BODY]
        else:
            self._move(ResponseEvent.BODY_UNTIL_CLOSE)

    def _is_chunked(self, taken: Taken) -> bool:
        """Whether chunked is the last transfer coding of a head (RFC 9112, 6.3, rule 4).

        A tab behind the value is none of it (5), but llhttp then takes it for another coding, and would pass the chunks
        on as they are: nobody could tell where that ends.
        """
        codings = taken.get(b"transfer-encoding", _UNCODED)
        *_, last = members(codings)
        is_chunked = last.lower() == b"chunked"
        if is_chunked and codings[-1].endswith(b"\t"):
            self._stop("A tab stands behind the response's Transfer-Encoding.")
        return is_chunked

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; llhttp takes for one what stands behind the answer to HEAD."""
        if self.state is BODY or self.state is UNTIL_CLOSE:
            self._pieces.append(data)
        elif self.state in _BEFORE_BODY:
            self._stop("A body stands where no response has begun.")
        else:
            self._move(ResponseEvent.EXCESS)

    def on_message_complete(self) -> None:
        """End the response, unless it is an informational one, or nobody's."""
        if self.state is BODY:
            self._end()

    def _end(self) -> None:
        self._incoming = None
        self.state = MOVES[self.state][_END if self._reusable else _LAST_END]

    def _take_informational(self, status: int) -> None:
        headers, taken, _ = end_to_end(self._headers, special=NOT_THE_UPSTREAMS)
        if status < 100 or b"content-length" in taken or b"transfer-encoding" in taken:
            self._stop("An informational response cannot have a body.")
        if status == SWITCHING_PROTOCOLS:
            asked = self._upgrade
            if asked is None or not (self._parser.should_upgrade() and asked.has_begun(headers, taken)):
                self._stop("The upstream switched protocols.")
            self._move(ResponseEvent.SWITCH)
        else:
            self._informational += 1
            if self._informational > self._max_informational:
                self._stop("The upstream sent too many informational responses.")
            if self.state is ResponseState.ASKED:
                self._move(ResponseEvent.BYTES)
        self._arrived.append(Incoming(status, headers, b"", self._headers))
        self._headers = []

    def _stop(self, fault: str) -> None:
        """End the reading within this piece: llhttp reports the exception as its own."""
        self.fault = fault
        raise _NoResponseError
