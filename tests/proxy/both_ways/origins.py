"""The upstreams of a conversation: they read each request strictly, and answer it as the conversation says."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from tests.proxy.both_ways.events import OK, Response
from tests.proxy.both_ways.marks import marks_in
from tests.proxy.both_ways.scripted_loop import ScriptedLoop
from tests.proxy.both_ways.wire import Wire

REFUSING_PORT = 9
"""Nobody listens there."""
_HEAD = re.compile(
    rb"[A-Z0-9!#$%&'*+.^_`|~-]+ [^\x00-\x20\x7f]+ HTTP/1\.1\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9a-z-]+: ?[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n")
_NAME = re.compile(rb"\r\n[!#-'*+.0-9A-Z^_`a-z|~-]+:")
_CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")


class RequestReader:
    """What the gateway writes to one upstream connection, taken apart; more than one reading of it is a fault.

    ``any_case``: names of fields in capitals are none, for another proxy wrote them.
    """

    def __init__(self, *, any_case: bool = False) -> None:
        self._any_case = any_case
        self._data = b""
        self._head = b""
        self._body = b""
        self._left: int | None = 0
        """Bytes of the body still to come; None: chunks."""
        self.faults: list[str] = []

    @property
    def in_body(self) -> bool:
        """Whether a head has been read, and its body has not."""
        return bool(self._head)

    def feed(self, data: bytes) -> list[tuple[str, bytes, bytes]]:
        """Return what begins or ends: ("head", head, b"") and ("end", head, body)."""
        self._data += data
        found: list[tuple[str, bytes, bytes]] = []
        while self._step(found):
            pass
        return found

    def _step(self, found: list[tuple[str, bytes, bytes]]) -> bool:
        if not self._head:
            end = self._data.find(b"\r\n\r\n") + 4
            if end < 4:
                return False
            self._head, self._data, self._body = self._data[:end], self._data[end:], b""
            self._left = self._framing(self._head)
            found.append(("head", self._head, b""))
        if not (self._chunk() if self._left is None else self._sized()):
            return False
        found.append(("end", self._head, self._body))
        self._head = b""
        return True

    def _framing(self, head: bytes) -> int | None:
        if self._any_case:
            head = _NAME.sub(lambda name: name[0].lower(), head)
        lengths = _LENGTH.findall(head)
        chunked = head.count(b"\r\ntransfer-encoding: chunked\r\n")
        if _HEAD.fullmatch(head) is None or head.count(b"\r\nhost: ") != 1 or len(lengths) + chunked > 1:
            self.faults.append(f"A head that is read in two ways: {head!r}")
        return None if chunked else int(lengths[0]) if lengths else 0

    def _sized(self) -> bool:
        assert self._left is not None
        taken, self._data = self._data[: self._left], self._data[self._left :]
        self._body += taken
        self._left -= len(taken)
        return self._left == 0

    def _chunk(self) -> bool:
        while (size := _CHUNK.match(self._data)) is not None:
            length = int(size[1], 16)
            end = size.end() + length
            if length == 0:
                return self._trailers(size.end())
            if len(self._data) < end + 2:
                return False
            if self._data[end : end + 2] != b"\r\n":
                self.faults.append(f"A chunk that does not end: {self._data[:80]!r}")
            self._body += self._data[size.end() : end]
            self._data = self._data[end + 2 :]
        return False

    def _trailers(self, start: int) -> bool:
        end = start if self._data[start : start + 2] == b"\r\n" else self._data.find(b"\r\n\r\n", start) + 2
        if end < max(start, 2) or len(self._data) < end + 2:
            return False
        self._data = self._data[end + 2 :]
        return True


class OriginLink:
    """One connection, the upstream's end of it."""

    def __init__(
        self,
        responses: Mapping[bytes, Response],
        *,
        name: str,
        loop: ScriptedLoop,
        received: Callable[[bytes, bytes], object],
    ) -> None:
        self.name = name
        self.wire: Wire | None = None
        self.reader = RequestReader()
        self.requests: list[tuple[bytes, bytes]] = []
        self._responses = responses
        self._loop = loop
        self._received = received
        self._held: deque[Callable[[], object]] = deque()
        self._switched = False
        """Whether another protocol was spoken of: what comes then is none of this reader's."""
        self._turn = 0
        """Requests that have begun."""

    def take(self, data: bytes) -> None:
        """The gateway has written."""
        if self._switched:
            return
        for what, head, body in self.reader.feed(data):
            response = self._response(head)
            self._turn += what == "head"
            if what == "end":
                self.requests.append((head, body))
                self._received(head, body)
            if response.at_head is (what == "head"):
                self._answer(response)

    def deliver(self) -> None:
        """Send the next piece that is held back."""
        if self._held:
            self._loop.call_soon(self._held.popleft())

    def _response(self, head: bytes) -> Response:
        return next((self._responses[one] for one in marks_in(head) if one in self._responses), OK)

    def _answer(self, response: Response) -> None:
        wire = self.wire
        assert wire is not None
        loop, turn = self._loop, self._turn
        self._switched = b"".join(response.pieces).startswith(b"HTTP/1.1 101 ")

        def feed(piece: bytes) -> None:
            # What is left of an answer when the next request comes is in excess. Nobody could tell whose it is, and an
            # upstream that sends it anyway speaks to all callers as it likes; one that stops can be held to account.
            if turn == self._turn:
                wire.feed(piece)

        acts: list[Callable[[], object]] = [partial(feed, piece) for piece in response.pieces]
        if response.end == "close":
            acts.append(wire.feed_eof)
        elif response.end == "reset":
            acts.append(lambda: loop.when_quiet(wire.lose))
        if response.held:
            self._held.extend(acts)
        else:
            for act in acts:
                self._loop.call_soon(act)


class Origins:
    """All upstreams; implements ``Network``. ``wrote(name, data)`` and ``closed(name, how)`` are told in order."""

    def __init__(
        self,
        responses: Mapping[bytes, Response],
        *,
        loop: ScriptedLoop,
        wrote: Callable[[str, bytes], object],
        closed: Callable[[str, str], object],
    ) -> None:
        self.links: list[OriginLink] = []
        self.received: list[tuple[bytes, bytes, bytes]] = []
        """Method, target and body of each request that came whole, in their order."""
        self._responses = responses
        self._loop = loop
        self._wrote = wrote
        self._closed = closed

    def connect(self, protocol: asyncio.Protocol, host: str, *, port: int) -> asyncio.Transport:
        """Take a connection. Raises ``OSError`` where nobody listens."""
        if port == REFUSING_PORT:
            raise ConnectionRefusedError(111, "refused")
        name = f"u{len(self.links)} {host}:{port}"
        link = OriginLink(self._responses, name=name, loop=self._loop, received=self._note)

        def sent(data: bytes) -> None:
            self._wrote(link.name, data)
            link.take(data)

        wire = Wire(
            protocol, loop=self._loop, peer=(host, port), sent=sent, closed=lambda how: self._closed(link.name, how)
        )
        link.wire = wire
        self.links.append(link)
        protocol.connection_made(wire)
        return wire

    def _note(self, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b" ", 2)
        self.received.append((method, target, body))
