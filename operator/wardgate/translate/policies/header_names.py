"""Which header names a policy may use. Names are compared and handed on in lower case."""

from __future__ import annotations

import re
from typing import Final

FRAMING: Final = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to one connection or say where a message ends: the proxy alone writes them."""
PSEUDO: Final = frozenset({":authority", ":method", ":path", ":status"})
"""Pseudo-headers that a transformation may set."""
READABLE_PSEUDO: Final = PSEUDO | {":scheme"}

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")


def is_token(name: str) -> bool:
    """Whether ``name`` is a field name of RFC 9110, section 5.1, and not overlong."""
    return _TOKEN.fullmatch(name) is not None


def request_header_fault(name: str) -> str | None:
    """Why authentication may not read or set this request header, as the end of a sentence; None if it may."""
    if name.startswith(":"):
        return "it is a pseudo-header"
    if not is_token(name):
        return "that is not the name of a header"
    if name.lower() in FRAMING or name.lower() == "host":
        return "the proxy itself writes this header"
    return None
