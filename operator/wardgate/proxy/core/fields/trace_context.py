"""The trace that a request belongs to, as its caller says (W3C Trace Context, 3.2)."""

from __future__ import annotations

import re
from typing import Final

TRACEPARENT: Final = b"traceparent"
_FORM: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?"
)
"""Later versions may go on behind a dash (3.2.3)."""


def trace_id(traceparent: bytes) -> str:
    """Return the trace's id, 32 digits, of the field's value; empty if the value is not valid."""
    parts = _FORM.fullmatch(traceparent)
    if parts is None or (parts[2] is not None and traceparent.startswith(b"00")):
        return ""
    return parts[1].decode()
