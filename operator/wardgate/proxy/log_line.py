"""The lines of the access log: each a JSON object with all of the fields that ``docs/access-log.md`` lists.

A line is put together from parts that are JSON already. What is the same for many requests is written once (``origin``,
``target``); of a request only its ids are escaped, where they hold anything but letters and digits. What else it has
waits as an ``Entry``, and lines are made some dozens at a time, which costs each of them less. All are ASCII, and no
longer than ``LINE_BYTES``, so that workers who share standard output do not tear each other's lines: every text is cut
where it is made JSON.

Not here: who decides which requests have a line (``sampling``), and what of a text is a secret (``telemetry``).
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import Final, TypeAlias

from wardgate.proxy.core.fields.trace_context import trace_id
from wardgate.proxy.request_record import RequestRecord

VERSION: Final = 1
"""Grows when a field is taken away or changes its meaning; a new field leaves it."""
LINE_BYTES: Final = 4096
PATH_BYTES: Final = 1024
METHOD_BYTES: Final = 64
ID_BYTES: Final = 256
"""Of an id, or of the caller's address."""
_ORIGIN_BYTES: Final = 1800
_NAME_BYTES: Final = 160
"""Of a name in an origin that would be too long with its names as they are."""
_CUT: Final = "…"
"""Ends a text that was cut. No byte of a request reads as this character."""
_REMEMBERED: Final = 1024
_REMEMBERED_LENGTH: Final = 256
_BEGIN: Final = f'{{"v":{VERSION},"time":'
_OWN_ID_BYTES: Final = 32
_AS_THEY_ARE: Final = bytes(set(range(0x20, 0x7F)) - set(b'"\\'))
"""Bytes that JSON writes as they are."""
_FRACTIONS: Final = tuple(f".{thousandth:03d}" for thousandth in range(1000))
"""Formatting a float takes four times as long as a look at this table."""
_SHORT: Final = 4096
_SHORT_SPANS: Final = tuple(f"{span // 1000}{_FRACTIONS[span % 1000]}" for span in range(_SHORT))
"""Microseconds as JSON: the gateway's own part of nearly all requests is among them."""

Entry: TypeAlias = tuple[str, str, str, bytes, bytes, bytes, float, int, int, int, int, int, int]
"""A request whose line is still to be made: its ``origin``, ``target`` and peer; its own id, traceparent and the
provider's id, none of which holds a secret; when it ended, in unix seconds; duration, overhead, upstream and ttft as in
``RequestRecord``; bytes received and sent. A tuple costs a third of an object with as many attributes."""


def quoted(text: str, limit: int) -> str:
    """Return a text of Latin-1 as a JSON string, quotes included, cut where it would be longer than ``limit``."""
    return encode_basestring_ascii(shortened(text, limit))


def shortened(text: str, limit: int) -> str:
    """Cut a text of Latin-1 that JSON would write with more than ``limit`` bytes, of one or up to six a character."""
    if len(text) * 6 <= limit:
        return text
    kept = text[:limit]
    written = len(encode_basestring_ascii(kept)) - 2
    if len(text) <= limit and written <= limit:
        return text
    return kept[: limit - 6 if written == len(kept) else limit // 6 - 1] + _CUT


def origin(
    *, listener: str, route: str, policy: str, key: str, upstream: str, status: int, reason: str, sample: float
) -> str:
    """Write the members of a line that many requests share. ``sample``: the part of such requests that has a line."""
    names = {"listener": listener, "route": route, "policy": policy, "key": key, "upstream": upstream}
    limit = LINE_BYTES
    while True:
        members = "".join(f'"{name}":{quoted(value, limit)},' for name, value in names.items())
        if len(members) <= _ORIGIN_BYTES:
            return f'{members}"status":{status},"reason":{quoted(reason, METHOD_BYTES)},"sample":{sample:g}'
        limit = _NAME_BYTES


def target(method: bytes, path: bytes, *, attempts: int) -> str:
    """Write the members of a line that tell where a request went to, and how often it was sent there."""
    quoted_method, quoted_path = _quoted_bytes(method, METHOD_BYTES), _quoted_bytes(path, PATH_BYTES)
    return f'"method":{quoted_method},"path":{quoted_path},"attempts":{attempts}'


class LogLines:
    """Makes the lines of one worker, each with its end."""

    __slots__ = ("_peers", "_targets")

    def __init__(self) -> None:
        self._targets: dict[tuple[bytes, bytes, int], str] = {}
        self._peers: dict[str, str] = {}

    def of(self, entries: list[Entry]) -> list[str]:
        """Return the lines of requests."""
        peers, short = self._peers, _SHORT_SPANS
        lines = []
        at, when = -1, ""
        for (
            head,
            target_,
            peer,
            own,
            traceparent,
            theirs,
            ended,
            duration,
            overhead,
            upstream,
            ttft,
            got,
            sent,
        ) in entries:
            time = int(ended * 1000)
            if time != at:
                at, when = time, f"{_BEGIN}{_span(time)}"
            spent = short[duration] if 0 <= duration < _SHORT else _span(duration)
            # A response in one piece is there with its first byte.
            first = spent if ttft == duration else short[ttft] if 0 <= ttft < _SHORT else _span(ttft)
            lines.append(
                f'{when},{head},"caller":{peers.get(peer) or self._quote_peer(peer)},'
                f'"request_id":"{own.decode() if own.isalnum() and len(own) == _OWN_ID_BYTES else _id(own)}",'
                f'"trace_id":"{trace_id(traceparent) if traceparent else ""}",'
                f'"provider_request_id":"{_id(theirs) if theirs else ""}",{target_},"duration_ms":{spent},'
                f'"overhead_ms":{short[overhead] if 0 <= overhead < _SHORT else _span(overhead)},'
                f'"upstream_ms":{short[upstream] if 0 <= upstream < _SHORT else _span(upstream)},"ttft_ms":{first},'
                f'"received_bytes":{got},"sent_bytes":{sent}}}\n'
            )
        return lines

    def entry(self, record: RequestRecord) -> Entry:
        """Make the entry of a settled request."""
        return (
            record.origin,
            self._target(record.method, record.path, attempts=record.attempts),
            record.peer,
            record.request_id,
            record.traceparent,
            record.provider_id,
            record.ended_at,
            record.duration,
            record.overhead,
            record.upstream,
            record.ttft,
            record.received,
            record.sent,
        )

    def _target(self, method: bytes, path: bytes, *, attempts: int) -> str:
        made = self._targets.get((method, path, attempts))
        if made is None:
            made = target(method, path, attempts=attempts)
            if len(method) + len(path) <= _REMEMBERED_LENGTH:
                if len(self._targets) >= _REMEMBERED:
                    self._targets.clear()  # strangers choose them; those that matter are back at once
                self._targets[method, path, attempts] = made
        return made

    def _quote_peer(self, peer: str) -> str:
        made = quoted(peer, ID_BYTES)
        if len(self._peers) >= _REMEMBERED:
            self._peers.clear()
        self._peers[peer] = made
        return made


def lost_lines(count: int, *, now: float) -> str:
    """Return the line that stands in the place of lines that nobody read fast enough."""
    time = int(now * 1000)
    return f'{_BEGIN}{_span(time)},"lines_dropped":{count}}}\n'


def _span(microseconds: int) -> str:
    return "null" if microseconds < 0 else f"{microseconds // 1000}{_FRACTIONS[microseconds % 1000]}"


def _id(raw: bytes) -> str:
    """Return the inside of an id's JSON string."""
    # Hardly an id holds anything that JSON would escape.
    if len(raw) <= ID_BYTES and not raw.translate(None, _AS_THEY_ARE):
        return raw.decode()
    return _quoted_bytes(raw, ID_BYTES)[1:-1]


def _quoted_bytes(raw: bytes, limit: int) -> str:
    return quoted(raw.decode("latin-1"), limit)
