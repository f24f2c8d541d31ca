"""Plain responses: a head in one piece, a length, and no field about the connection but that it is kept.

Rule 1: nothing is refused here. Whatever is not plain gets None, and is read by llhttp (docs/decisions/0001).
Rule 2: a head is plain only if every line of it is a field by the strictest reading, in printable ASCII, so that no
        other reader could read it differently.
        A phrase is a short one, for start lines are remembered.
Rule 3: a body ends by its length, and may come in pieces, or it comes in chunks.
"""

from __future__ import annotations

import re
from typing import Final

from wardgate.proxy.core.fast_path.line_memory import LineMemory, read_line, write_line
from wardgate.proxy.core.fast_path.moulds import ANY, CODING, LENGTH, Gap, Mould
from wardgate.proxy.core.fast_path.plain_answers import AnswerFields, PlainAnswer
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.provider_ids import PROVIDER_IDS
from wardgate.proxy.core.http1.framing import is_bodiless, status_line
from wardgate.proxy.core.http1.response_reader import NOT_THE_UPSTREAMS
from wardgate.proxy.core.messages import HeaderList

_HEAD_END: Final = b"\r\n\r\n"
_START: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9]) [\x20-\x7e]{0,64}")
_PRINTABLE: Final = re.compile(rb"[\x20-\x7e]*")
_MOST_DIGITS: Final = 18
_MOST_STARTS: Final = 64
_UNKNOWN: Final = -1
CHUNKED: Final = -2
_NOTHING_READ: Final[HeaderList] = []
_CHUNKED_LINE: Final = b"transfer-encoding: chunked"


class PlainResponse:
    """``head``: as it goes to the caller. ``length``: of the body, which begins behind ``at`` bytes of what arrived.

    ``length`` is ``CHUNKED`` where the body comes in chunks. ``provider_id``: empty where the provider gave none.
    """

    __slots__ = ("at", "head", "length", "provider_id", "status")

    def __init__(self, *, status: int, head: bytes, at: int, length: int, provider_id: bytes) -> None:
        self.status = status
        self.head = head
        self.at = at
        self.length = length
        self.provider_id = provider_id


class PlainResponses:
    """Reads them. ``head_bytes``: of the longest head. ``fields``: those that plans touch; None: there are no plans."""

    __slots__ = ("_fields", "_head_bytes", "_known", "_memory", "_provider_id", "_reading", "_starts")

    def __init__(self, memory: LineMemory, *, head_bytes: int, fields: AnswerFields | None = None) -> None:
        self._memory = memory
        self._fields = fields
        self._known = memory.of("response" if fields is None else fields)
        self._head_bytes = head_bytes
        self._starts: dict[bytes, tuple[int, bytes]] = {}
        self._provider_id = b""
        """Of the response that is read."""
        self._reading: HeaderList = _NOTHING_READ
        """Its fields that plans read."""

    def read(self, data: bytes, answer: PlainAnswer | None = None) -> PlainResponse | None:
        """Read a response's head; ``data``: all that has arrived since the request. ``answer``: what plans do to it."""
        end = data.find(_HEAD_END)
        if end < 0 or end > self._head_bytes:
            return None
        known = self._known
        for mould in known.moulds:
            lines: list[bytes] = []
            self._begin(answer)
            length = self._fitting(mould, data, end=end + 2, sent=lines)
            if length != _UNKNOWN:
                if known.moulds and known.moulds[0] is not mould:
                    known.prefer(mould)
                return self._made(mould.status, lines, length=length, at=end + len(_HEAD_END), answer=answer)
        return self._read_by_lines(data, end, answer=answer)

    def _begin(self, answer: PlainAnswer | None) -> None:
        self._provider_id = b""
        if answer is not None:
            self._reading = []

    def _read_by_lines(self, data: bytes, end: int, *, answer: PlainAnswer | None) -> PlainResponse | None:
        lines = data[:end].split(b"\r\n")
        if end + len(lines) > self._head_bytes:
            return None  # as ResponseReader counts, which reads this again at a handover
        known_start = self._starts.get(lines[0])
        start = known_start or self._read_start(lines[0])
        if start is None:
            return None
        status, sent = start
        self._begin(answer)
        remembered = self._memory.remembered
        written = [sent]
        length = self._read_lines(lines, written)
        if length == _UNKNOWN:
            return None
        if known_start is not None and remembered == self._memory.remembered:
            known = {**self._known.lines, lines[0]: sent}
            gaps = [_gap(raw) for raw in lines if raw not in known]
            self._memory.keep_mould(self._known, Mould(lines, known=known, gaps=gaps, status=status))
        return self._made(status, written, length=length, at=end + len(_HEAD_END), answer=answer)

    def _made(
        self, status: int, lines: list[bytes], *, length: int, at: int, answer: PlainAnswer | None
    ) -> PlainResponse | None:
        if answer is not None:
            # A message without a body loses its content type.
            reading, self._reading = self._reading, _NOTHING_READ
            given = answer.given(status, reading) if length else None
            if given is None:
                return None
            lines.append(given)
        lines.append(_CHUNKED_LINE + _HEAD_END if length == CHUNKED else b"content-length: %d\r\n\r\n" % length)
        return PlainResponse(status=status, head=b"".join(lines), at=at, length=length, provider_id=self._provider_id)

    def _fitting(self, mould: Mould, data: bytes, *, end: int, sent: list[bytes]) -> int:
        """Read all lines by a mould; return the body's length, ``_UNKNOWN``: they do not fit, or are not plain."""
        at, length = 0, _UNKNOWN
        if end + mould.lines > self._head_bytes:
            return length
        for run, written, gap in mould.parts:
            if not data.startswith(run, at):
                break
            at += len(run)
            sent.append(written)
            if gap is None:
                return length if at == end else _UNKNOWN
            stop = data.find(b"\r\n", at)
            raw = data[at:stop]
            at = stop + 2
            if not raw.startswith(gap.prefix):
                break
            if gap.kind == ANY:
                line = self._read_line(raw)
                if line is None:
                    break
                sent.append(line)
            elif length == _UNKNOWN:
                length = _digits(raw[len(gap.prefix) :]) if gap.kind == LENGTH else _length(raw)
            else:
                break
        return _UNKNOWN

    def _read_lines(self, lines: list[bytes], written: list[bytes]) -> int:
        """Write what is sent on for each line; return the body's length, ``_UNKNOWN``: it is not plain."""
        known, length = self._known.lines, _UNKNOWN
        for number in range(1, len(lines)):
            raw = lines[number]
            sent = known.get(raw)
            if sent is None:
                given = _length(raw)
                if given == _UNKNOWN:
                    sent = self._read_line(raw)
                elif length == _UNKNOWN:
                    length, sent = given, b""
                if sent is None:
                    return _UNKNOWN
            written.append(sent)
        return length

    def _read_start(self, line: bytes) -> tuple[int, bytes] | None:
        parts = _START.fullmatch(line)
        if parts is None:
            return None
        status = int(parts[1])
        if is_bodiless(status=status, head_request=False):
            return None
        if len(self._starts) >= _MOST_STARTS:
            self._starts.clear()
        start = self._starts[line] = (status, status_line(status) + b"\r\n")
        return start

    def _read_line(self, raw: bytes) -> bytes | None:
        field = read_line(raw)
        if field is None or _PRINTABLE.fullmatch(raw) is None:
            return None
        name, value = field
        if name in NOT_THE_UPSTREAMS:
            if name != b"keep-alive" and not (name == b"connection" and value.lower() == b"keep-alive"):
                return None
            sent = b""
        else:
            sent = write_line(name, value)
            # Another one each time, so it is never among the lines that are known.
            if name in PROVIDER_IDS:
                self._provider_id = self._provider_id or value
            if self._fields is not None:
                folded = fold(name)
                if folded in self._fields.dropped:
                    sent = b""
                if folded in self._fields.read:
                    self._reading.append(field)
                    return sent
        self._memory.keep(self._known, raw, name=name, sent=sent)
        return sent


def _digits(value: bytes) -> int:
    """Read a Content-Length; ``_UNKNOWN``: it is none."""
    return int(value) if value.isdigit() and len(value) <= _MOST_DIGITS else _UNKNOWN


def _length(raw: bytes) -> int:
    """Read a line that delimits the body; ``_UNKNOWN``: it is another one, or not plain."""
    name = raw[:15].lower()
    if name == b"content-length:":
        return _digits(raw[15:].strip(b" "))
    return CHUNKED if name == b"transfer-encodi" and raw.lower() == _CHUNKED_LINE else _UNKNOWN


def _gap(raw: bytes) -> Gap:
    """Return the gap for a line that was read, and is not remembered."""
    length = _length(raw)
    kind = ANY if length == _UNKNOWN else CODING if length == CHUNKED else LENGTH
    return Gap(raw, kind=kind, name=raw.partition(b":")[0].lower())
