"""The header names that a policy may use. They are compared folded (``field_names``) and handed on in lower case."""

from __future__ import annotations

import re
from typing import Final

from wardgate.field_names import ORIGIN, PROXY_WRITTEN, TAKEN_OFF, fold
from wardgate.http_grammar import TCHAR

PSEUDO: Final = frozenset({":authority", ":method", ":path", ":status"})
"""Pseudo-headers that a transformation may set."""
READABLE_PSEUDO: Final = PSEUDO | {":scheme"}

_TOKEN: Final = re.compile(rf"[{TCHAR}]{{1,256}}")


def is_token(name: str) -> bool:
    """Whether ``name`` is a field name of RFC 9110, section 5.1, and not overlong."""
    return _TOKEN.fullmatch(name) is not None


def is_proxy_written(name: str) -> bool:
    """Whether the proxy alone writes this header."""
    return fold(name) in PROXY_WRITTEN


def request_header_fault(name: str) -> str | None:
    """The reason why authentication may not use this request header, as the end of a sentence; None if it may."""
    if name.startswith(":"):
        return "it is a pseudo-header"
    if not is_token(name):
        return "that is not the name of a header"
    if is_proxy_written(name) or name.lower() == "host":
        return "the proxy itself writes this header"
    if name.lower() in TAKEN_OFF or fold(name) in ORIGIN:
        return "the proxy takes this header off every request"
    return None
