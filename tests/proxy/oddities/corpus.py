"""All cases, and the request that tells whether a connection goes on."""

from __future__ import annotations

import re
from typing import Final

from tests.proxy.oddities import chunks, codings, heads, lengths, sequences, targets
from tests.proxy.oddities.case import Case, Forwarded, ask

CASES: Final[tuple[Case, ...]] = (
    *lengths.CASES,
    *codings.CASES,
    *chunks.CASES,
    *heads.CASES,
    *targets.CASES,
    *sequences.CASES,
)
TAIL: Final = ask(b"GET", b"/plain/tail", b"Connection: close")
TAIL_FORWARDED: Final[Forwarded] = (b"GET", b"/plain/tail", b"")
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([2-9][0-9]{2}) ")


def statuses_in(responses: bytes) -> tuple[int, ...]:
    """Return the statuses of the final responses; no body here holds a status line."""
    return tuple(int(found) for found in _STATUS.findall(responses))


def expected(case: Case) -> tuple[tuple[int, ...], tuple[Forwarded, ...]]:
    """Return the statuses and the requests sent on when ``TAIL`` is sent behind a case that does not wait."""
    if case.goes_on:
        return (*case.statuses, 200), (*case.forwarded, TAIL_FORWARDED)
    return case.statuses, case.forwarded
