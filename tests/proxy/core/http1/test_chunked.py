"""The strict reading of chunked bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.http1.chunked import ChunkedDecoder, ChunkedError


def whole(wire: bytes) -> tuple[ChunkedDecoder, list[bytes]]:
    """A decoder that has read all that arrived, in however many goes."""
    decoder = ChunkedDecoder()
    pieces = [decoder.feed(wire)]
    while decoder.behind:
        pieces.append(decoder.feed(b""))
    return decoder, pieces


def test_chunks_are_joined_and_the_rest_is_left() -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /") == b"abcde"
    assert (decoder.done, decoder.rest) == (True, b"GET /")


def test_any_split_gives_the_same_body() -> None:
    wire = b"A\r\n0123456789\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\nrest"
    for cut in range(len(wire)):
        decoder = ChunkedDecoder()
        body = decoder.feed(wire[:cut])
        body += b"" if decoder.done else decoder.feed(wire[cut:])
        assert body == b"0123456789x"
        assert decoder.done


def test_a_flood_of_tiny_chunks_is_read_in_several_goes() -> None:
    decoder, pieces = whole(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\nrest")
    assert b"".join(pieces) == b"x" * 10_000
    assert max(map(len, pieces)) < 200
    assert (decoder.done, decoder.rest) == (True, b"rest")


def test_large_chunks_are_read_in_one_go() -> None:
    decoder = ChunkedDecoder()
    assert len(decoder.feed(b"400\r\n" + b"x" * 1024 + b"\r\n")) == 1024
    assert not decoder.behind


def test_trailers_are_thrown_away() -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"0\r\nAuthorization: Bearer x\r\nB: y\r\n\r\n") == b""
    assert decoder.done


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b"3;ext=1\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"1234567890abcdef1\r\n",
        b"1" * 40,
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nbad name : x\r\n\r\n",
        b"0\r\n" + b"A: " + b"x" * 9000 + b"\r\n\r\n",
        b"0\r\n" + b"A: xxxxxxxxxxxx\r\n" * 700 + b"\r\n",
    ],
)
def test_framing_that_two_readers_could_read_differently_is_an_error(wire: bytes) -> None:
    with pytest.raises(ChunkedError):
        whole(wire)


def test_a_size_is_refused_while_it_is_still_arriving() -> None:
    decoder = ChunkedDecoder()
    for _ in range(17):
        decoder.feed(b"1")
    with pytest.raises(ChunkedError):
        decoder.feed(b"1")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(min_value=1, max_value=7))
def test_what_is_encoded_is_decoded(pieces: list[bytes], step: int) -> None:
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    decoder = ChunkedDecoder()
    body = b"".join(decoder.feed(wire[at : at + step]) for at in range(0, len(wire), step))
    assert body == b"".join(pieces)
    assert decoder.done


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    decoder = ChunkedDecoder()
    try:
        body = decoder.feed(data)
    except ChunkedError:
        return
    assert len(body) <= len(data)
