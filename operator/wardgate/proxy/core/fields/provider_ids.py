"""The ids by which providers name a request in their own records; their support asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wardgate.proxy.core.messages import Header

PROVIDER_IDS: Final = frozenset({b"x-request-id", b"request-id", b"apim-request-id", b"x-amzn-requestid"})
"""Of OpenAI and many others, of Anthropic, Azure and AWS."""


def id_among(fields: Iterable[Header]) -> bytes:
    """Return the first such id among a response's fields; empty if there is none."""
    for name, value in fields:
        if name in PROVIDER_IDS:
            return value
    return b""
