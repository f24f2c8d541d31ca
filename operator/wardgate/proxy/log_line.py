"""The lines of the access log: each a JSON object with all of the fields that ``docs/access-log.md`` lists.

A line is put together from parts that are JSON already. What is the same for many requests is written once
(``origin``); of a request only the caller's and the provider's texts are escaped, and paths and methods that were seen
before not even that. Lines are made some dozens at a time, which costs each of them less. All are ASCII, and no longer
than ``LINE_BYTES``, so that workers who share standard output do not tear each other's lines: every text is cut where
it is made JSON.

Not here: who decides which requests have a line (``sampling``), and what of a text is a secret (``telemetry``).
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import Final

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
_AS_THEY_ARE: Final = bytes(set(range(0x20, 0x7F)) - set(b'"\\'))
"""Bytes that JSON writes as they are."""
_FRACTIONS: Final = tuple(f".{thousandth:03d}" for thousandth in range(1000))
"""Formatting a float takes four times as long as a look at this table."""


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


class LogLines:
    """Makes the lines of one worker, each with its end."""

    __slots__ = ("_peers", "_targets")

    def __init__(self) -> None:
        self._targets: dict[tuple[bytes, bytes], str] = {}
        self._peers: dict[str, str] = {}

    def of(self, records: Iterable[RequestRecord]) -> list[str]:
        """Return the lines of settled requests, none of whose texts holds a secret."""
        targets, peers, fractions = self._targets, self._peers, _FRACTIONS
        lines = []
        for record in records:
            time, duration, overhead = int(record.ended_at * 1000), record.duration, record.overhead
            upstream, ttft = record.upstream, record.ttft
            asked = "null" if upstream < 0 else f"{upstream // 1000}{fractions[upstream % 1000]}"
            first = "null" if ttft < 0 else f"{ttft // 1000}{fractions[ttft % 1000]}"
            target = targets.get((record.method, record.path)) or self._quote_target(record.method, record.path)
            peer = peers.get(record.peer) or self._quote_peer(record.peer)
            provider_id = _id(record.provider_id) if record.provider_id else '""'
            trace = trace_id(record.traceparent) if record.traceparent else ""
            lines.append(
                f'{_BEGIN}{time // 1000}{fractions[time % 1000]},{record.origin},"caller":{peer},'
                f'"request_id":{_id(record.request_id)},"trace_id":"{trace}","provider_request_id":{provider_id},'
                f'{target},"attempts":{record.attempts},"duration_ms":{duration // 1000}{fractions[duration % 1000]},'
                f'"overhead_ms":{overhead // 1000}{fractions[overhead % 1000]},"upstream_ms":{asked},"ttft_ms":{first},'
                f'"received_bytes":{record.received},"sent_bytes":{record.sent}}}\n'
            )
        return lines

    def _quote_target(self, method: bytes, path: bytes) -> str:
        made = f'"method":{_quoted_bytes(method, METHOD_BYTES)},"path":{_quoted_bytes(path, PATH_BYTES)}'
        if len(method) + len(path) <= _REMEMBERED_LENGTH:
            if len(self._targets) >= _REMEMBERED:
                self._targets.clear()  # strangers choose them; those that matter are back at once
            self._targets[method, path] = made
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
    return f'{_BEGIN}{time // 1000}{_FRACTIONS[time % 1000]},"lines_dropped":{count}}}\n'


def _id(raw: bytes) -> str:
    # Hardly an id holds anything that JSON would escape.
    if len(raw) <= ID_BYTES and not raw.translate(None, _AS_THEY_ARE):
        return f'"{raw.decode()}"'
    return _quoted_bytes(raw, ID_BYTES)


def _quoted_bytes(raw: bytes, limit: int) -> str:
    return quoted(raw.decode("latin-1"), limit)
