"""Text and the bytes that it stands for: UTF-8, where bytes that are none survive as they are.

HTTP gives a header's value no charset: "a recipient SHOULD treat other allowed octets in field content (i.e., obs-text)
as opaque data" (RFC 9110, 5.5), and a Secret may hold any bytes. So each byte that is no UTF-8 becomes one lone
surrogate (PEP 383) and turns back into itself: a value goes on as it came.
"""

from __future__ import annotations


def to_bytes(text: str) -> bytes:
    """Return the bytes of a text. Raises ``UnicodeEncodeError`` for a surrogate that stands for no byte."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    """Return the text of bytes; ``to_bytes`` gives the same bytes back."""
    return data.decode("utf-8", "surrogateescape")
