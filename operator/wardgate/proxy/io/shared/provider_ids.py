"""The ids by which providers name a request in their own records; their support asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wardgate.proxy.core.messages import Header

NAMES: Final = frozenset({b"x-request-id", b"request-id", b"apim-request-id", b"x-amzn-requestid"})
"""Of OpenAI and many others, of Anthropic, Azure and AWS."""
_ENDS: Final = (b"request-id: ", b"requestid: ")
"""Each name ends in one of them."""


def id_among(fields: Iterable[Header]) -> bytes:
    """Return the first such id among a response's fields; empty if there is none."""
    for name, value in fields:
        if name in NAMES:
            return value
    return b""


def id_in(head: bytes) -> bytes:
    """Return the first such id in a head that the gateway has written: names in lower case, one blank behind."""
    first, found = len(head), b""
    for end in _ENDS:
        at = head.find(end)
        while 0 <= at < first:
            begin = head.rfind(b"\n", 0, at) + 1
            value_at = at + len(end)
            if head[begin : value_at - 2] in NAMES:
                first, found = at, head[value_at : head.find(b"\r", value_at)]
                break
            at = head.find(end, value_at)
    return found
