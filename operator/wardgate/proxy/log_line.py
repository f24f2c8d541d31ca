"""The lines of the access log: each a JSON object with all of the fields that ``docs/access-log.md`` lists.

A line is put together from parts that are JSON already. What is the same for many requests is written once
(``origin``); of a request only the caller's and the provider's texts are escaped, and paths and methods that were seen
before not even that. All lines are ASCII, and no longer than ``LINE_BYTES``, so that workers who share standard output
do not tear each other's lines: every text is cut where it is made JSON.

Not here: who decides which requests have a line (``sampling``), and what of a text is a secret (``telemetry``).
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import Final

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


class QuotedTexts:
    """Texts as JSON strings, remembered for those that come again. ``limit``: bytes of the longest."""

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        """Return the JSON string."""
        known = self._known.get(text)
        return self._quote(text) if known is None else known

    def _quote(self, text: str) -> str:
        made = quoted(text, self._limit)
        if len(text) <= _REMEMBERED_LENGTH:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()  # strangers choose the texts; those that matter are back at once
            self._known[text] = made
        return made


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

    __slots__ = ("_methods", "_paths", "_peers")

    def __init__(self) -> None:
        self._methods = QuotedTexts(METHOD_BYTES)
        self._paths = QuotedTexts(PATH_BYTES)
        self._peers = QuotedTexts(ID_BYTES)

    def line(self, origin: str, record: RequestRecord, *, trace_id: str, provider_id: bytes, now: float) -> str:
        """Return the line of a settled request, none of whose texts holds a secret.

        ``trace_id``: 32 digits, or none. ``now``: the wall's time, in unix seconds.
        """
        path, method = self._paths.of(record.path.decode("latin-1")), self._methods.of(record.method.decode("latin-1"))
        fractions = _FRACTIONS
        time, duration, overhead = int(now * 1000), int(record.duration * 1e6), int(record.overhead * 1e6)
        upstream = "null" if record.upstream < 0 else _thousandths(int(record.upstream * 1e6))
        ttft = "null" if record.ttft < 0 else _thousandths(int(record.ttft * 1e6))
        return (
            f'{_BEGIN}{time // 1000}{fractions[time % 1000]},{origin},"caller":{self._peers.of(record.peer)},'
            f'"request_id":{_id(record.request_id)},"trace_id":"{trace_id}","provider_request_id":{_id(provider_id)},'
            f'"method":{method},"path":{path},"attempts":{record.attempts},'
            f'"duration_ms":{duration // 1000}{fractions[duration % 1000]},'
            f'"overhead_ms":{overhead // 1000}{fractions[overhead % 1000]},"upstream_ms":{upstream},"ttft_ms":{ttft},'
            f'"received_bytes":{record.received},"sent_bytes":{record.sent}}}\n'
        )


def lost_lines(count: int, *, now: float) -> str:
    """Return the line that stands in the place of lines that nobody read fast enough."""
    return f'{_BEGIN}{_thousandths(int(now * 1000))},"lines_dropped":{count}}}\n'


def _thousandths(count: int) -> str:
    return f"{count // 1000}{_FRACTIONS[count % 1000]}"


def _id(raw: bytes) -> str:
    # Most ids are letters and digits, which JSON writes as they are.
    if raw.isalnum() and len(raw) <= ID_BYTES:
        return f'"{raw.decode()}"'
    return quoted(raw.decode("latin-1"), ID_BYTES)
