"""Text and bytes, there and back."""

from __future__ import annotations

import pytest

from wardgate.text_codec import from_bytes, to_bytes


def test_every_byte_survives() -> None:
    for data in (bytes(range(256)), "ä€𝄞".encode(), b"\xed\xa0\x80", b"\xc3"):
        assert data == to_bytes(from_bytes(data))


def test_utf_8_is_read_as_text() -> None:
    assert "ä€𝄞" == from_bytes("ä€𝄞".encode())


def test_a_surrogate_that_stands_for_no_byte_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        to_bytes("\ud800")
