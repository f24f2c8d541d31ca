"""The trace that a request belongs to, as its caller says (W3C Trace Context, 3.2)."""

from __future__ import annotations

from typing import Final

TRACEPARENT: Final = b"traceparent"
_LENGTH: Final = 55
"""Of version 00, and of what each later one begins with: 2, 32, 16 and 2 digits, with dashes between them."""
_HEX: Final = b"0123456789abcdef"
_NO_TRACE: Final = b"0" * 32
_NO_PARENT: Final = b"0" * 16


def trace_id(traceparent: bytes) -> str:
    """Return the trace's id, 32 digits, of the field's value; empty if the value is not valid."""
    version, trace, parent, flags = traceparent[:2], traceparent[3:35], traceparent[36:52], traceparent[53:_LENGTH]
    if (
        len(traceparent) < _LENGTH
        or traceparent[2:53:33] != b"--"  # at 2 and 35
        or traceparent[52] != ord("-")
        or (version + trace + parent + flags).translate(None, _HEX)
        or version == b"ff"
        or trace == _NO_TRACE
        or parent == _NO_PARENT
    ):
        return ""
    # A later version may go on behind a dash (3.2.3); this one ends here.
    if len(traceparent) > _LENGTH and (version == b"00" or traceparent[_LENGTH] != ord("-")):
        return ""
    return trace.decode()
