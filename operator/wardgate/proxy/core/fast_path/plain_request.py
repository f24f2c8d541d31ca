"""One plain request, put together line by line as it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from wardgate.proxy.core.auth.credential_index import CompiledCredential
from wardgate.proxy.core.fast_path.line_memory import LineMemory, read_line, write_line
from wardgate.proxy.core.fast_path.moulds import ANY, FIELD, KEY, LENGTH, Gap, Mould
from wardgate.proxy.core.fast_path.outcomes import PlainOutcome, PlainRefusal, Way, end_of_line
from wardgate.proxy.core.fast_path.plain_routes import REQUEST_ID
from wardgate.proxy.core.fields import forwarded
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.key_copies import may_hide_key
from wardgate.proxy.core.fields.trace_context import TRACEPARENT
from wardgate.proxy.core.grammar import ORIGIN, UNSENDABLE
from wardgate.proxy.core.http1.request_head import SPECIAL
from wardgate.proxy.core.messages import HeaderList

_MOST_DIGITS: Final = 18
_LONGEST_ID: Final = 128
_NO_CLAIMS: Final[Mapping[bytes, Sequence[bytes]]] = {}
_NO_LENGTH: Final = -1
_NOTHING_READ: Final[HeaderList] = []
_START_AT: Final = 0
_QUERY_AT: Final = 1
_END_AT: Final = 2
_LINES_OF_START: Final = 3
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_MARK_AT: Final = -2
"""Before the lines that the proxy alone writes, as on the general way."""


class PlainRequest:
    """See the module. ``lines``: what is sent on, beginning with the request line in three parts.

    ``key``: the field that holds the key, empty until it has come; ``length``: Content-Length, negative where there is
    none. ``claims``: what it says of its way here, by name. It has an ``outcome`` or a ``refusal`` once that was found,
    and all of its body but ``missing`` bytes. ``reading``: fields that the route's plans read; ``body``: what one makes
    of the body, None where it passes; ``drawn``: the number that chooses the destination. ``credential``: whose key it
    is, once that ``is_looked_up``. ``mould``: the one that it was read by, if any; ``varying``: what it says besides,
    but for the key and the length: lines in gaps, and a request line with a query.
    """

    __slots__ = (
        "body",
        "claims",
        "credential",
        "drawn",
        "is_looked_up",
        "key",
        "length",
        "lines",
        "missing",
        "mould",
        "outcome",
        "reading",
        "refusal",
        "request_id",
        "traceparent",
        "varying",
        "way",
    )

    def __init__(self, way: Way, query: bytes, *, varying: bytes) -> None:
        self.way = way
        self.mould: Mould | None = None
        self.varying = varying
        self.lines = [b"", query, b""]
        self.key = b""
        self.length = _NO_LENGTH
        self.request_id = b""
        self.traceparent = b""
        self.claims: Mapping[bytes, Sequence[bytes]] = _NO_CLAIMS
        self.missing = 0
        self.reading: HeaderList = _NOTHING_READ
        self.body: bytes | None = None
        self.drawn = 0
        self.is_looked_up = False
        self.credential: CompiledCredential | None = None
        self.refusal: PlainRefusal | None = None
        self.outcome: PlainOutcome | None = None

    def anew(self) -> PlainRequest:
        """Return one of which no line has been read."""
        if len(self.lines) == _LINES_OF_START:
            return self
        query = self.lines[_QUERY_AT]
        return PlainRequest(self.way, query, varying=self.varying[: self.varying.find(b"\n") + 1] if query else b"")

    def fits(self, mould: Mould, data: bytes, *, at: int, end: int, memory: LineMemory) -> bool:
        """Read all lines by a mould; return whether they fit and the request is plain. They end at ``end``."""
        lines = self.lines
        self.mould = mould
        for run, sent, gap in mould.parts:
            if not data.startswith(run, at):
                return False
            at += len(run)
            lines.append(sent)
            if gap is None:
                return at == end
            stop = data.find(b"\r\n", at)
            if not data.startswith(gap.prefix, at):
                return False
            if gap.kind == KEY and not self.key:
                self.key = data[at + len(gap.prefix) : stop].strip(b" \t")
                if not self.key or self.key.translate(None, _PRINTABLE):
                    return False
            elif not self._fill(gap, data[at:stop], memory=memory):
                return False
            at = stop + 2
        return False

    def _fill(self, gap: Gap, raw: bytes, *, memory: LineMemory) -> bool:
        """Read the line in a gap; return whether the request is still plain."""
        value = raw[len(gap.prefix) :]
        if gap.kind == LENGTH:
            return self._take_length(value)
        self.varying += raw + b"\n"
        return self._take_value(gap, value) if gap.kind == FIELD else self.take(raw, memory)

    def _take_value(self, gap: Gap, given: bytes) -> bool:
        value = given.strip(b" \t")
        if UNSENDABLE.search(value) is not None or may_hide_key(value):
            return False
        if gap.name == TRACEPARENT:
            self.traceparent += value
        if not gap.is_dropped:
            self.lines.append(write_line(gap.name, value))
        return True

    def gap(self, raw: bytes) -> Gap:
        """Return the gap for a line that was read, and is not remembered."""
        name = raw.partition(b":")[0].lower()
        route = self.way.route
        assert route is not None, "Plain requests have a plain route."
        if name == route.fields.key:
            kind = KEY
        elif name == b"content-length":
            kind = LENGTH
        else:
            kind = ANY if name in SPECIAL or name == REQUEST_ID or fold(name) in route.fields.read else FIELD
        return Gap(raw, kind=kind, name=name, is_dropped=fold(name) in route.fields.dropped)

    def take(self, raw: bytes, memory: LineMemory) -> bool:
        """Read a line that the way does not know; return whether the request is still plain."""
        field = read_line(raw)
        route = self.way.route
        if field is None or route is None:
            return False
        name, value = field
        if name == route.fields.key:
            known, self.key = self.key, value
            return bool(value) and not known
        if name == b"content-length":
            return self._take_length(value)
        if name == REQUEST_ID:
            return self._take_id(value)
        return self._take_other(raw, name, value=value, memory=memory)

    def _take_length(self, value: bytes) -> bool:
        if self.length != _NO_LENGTH or not value.isdigit() or len(value) > _MOST_DIGITS:
            return False
        self.length = int(value)
        return True

    def _take_id(self, value: bytes) -> bool:
        if self.request_id or not value or len(value) > _LONGEST_ID or not value.isascii():
            return False
        self.request_id = value
        self.lines.append(write_line(REQUEST_ID, value))
        return not may_hide_key(value)

    def _take_other(self, raw: bytes, name: bytes, *, value: bytes, memory: LineMemory) -> bool:
        way = self.way
        route = way.route
        assert route is not None, "Asked in take()."
        folded, fields = fold(name), route.fields
        if name in ORIGIN:
            return self._take_claim(name, value)
        if name in SPECIAL:
            # Clients say ``Connection: keep-alive``, which is so anyway. Whatever else ends at this hop is not plain.
            if name != b"connection" or value.lower() != b"keep-alive":
                return False
            sent = b""
        elif folded in fields.held or folded == REQUEST_ID or may_hide_key(value):
            return False
        else:
            sent = b"" if folded in fields.dropped else write_line(name, value)
            if name == TRACEPARENT:
                self.traceparent += value  # of two of them none is valid, nor are both together
            elif folded in fields.read:
                self.reading = [*self.reading, (name, value)]
                self.lines.append(sent)
                return True
        memory.keep(way.known, raw, name=name, sent=sent)
        self.lines.append(sent)
        return True

    def _take_claim(self, name: bytes, value: bytes) -> bool:
        """Take off what the request says of its way here; it is for the connection to say whether that counts."""
        claims = {} if self.claims is _NO_CLAIMS else dict(self.claims)
        claims[name] = [*claims.get(name, ()), value]
        self.claims = claims
        return name != forwarded.HOST  # the exchange knows whether the key is in it

    def is_followed_by(self, size: int) -> bool:
        """Whether so many bytes behind the head are its body, or the beginning of it."""
        if not self.way.bare.has_body:
            return size == 0 and self.length <= 0
        self.missing = self.length - size
        return self.length > 0 and self.missing >= 0

    def finish(self, outcome: PlainOutcome, *, fresh_id: bytes, mark: bytes) -> None:
        """Put together what goes upstream. ``fresh_id``: for a request that has none; ``mark``: a line of its own."""
        lines = self.lines
        lines[_START_AT] = outcome.start
        lines[_END_AT] = outcome.end
        if fresh_id:
            self.request_id = fresh_id
            lines.append(write_line(REQUEST_ID, fresh_id))
        lines += (outcome.given, mark, self._framing())

    def _framing(self) -> bytes:
        length = self.length if self.body is None else len(self.body)
        return b"\r\n" if length == _NO_LENGTH else b"content-length: %d\r\n\r\n" % length

    def written(self, data: bytes, *, dialled: bytes, told: bytes) -> bytes:
        """Return all that goes upstream; asked once.

        ``data``: the request as it arrived, body and all; ``dialled``: the endpoint's name, empty if it has none;
        ``told``: lines about the way that the request came.
        """
        assert self.outcome is not None, "Asked only of a request that was decided."
        if dialled and self.outcome.auto_host:
            self.lines[_END_AT] = end_of_line(dialled)
        if told:
            self.lines.insert(_MARK_AT, told)
        if self.body is not None:
            self.lines.append(self.body)
        elif self.length > 0:
            self.lines.append(data[-self.length :])
        # The body and the token are not held besides while the response is awaited.
        lines, self.lines = self.lines, []
        return b"".join(lines)
