"""Messages between supervisor and worker, in pieces of any size."""

from __future__ import annotations

import contextlib
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.wire import EncodeError, Frame, FrameError, Unpacker, framing, pack

FRAMES = [
    Frame("config", {"revision": "abc", "groups": ["routes"]}, b"\x00\xff" * 100),
    Frame("ready", {}),
    Frame("ünïcode", {"a": None}, b"x"),
]
STREAM = b"".join(pack(frame.kind, frame.header, payload=frame.payload) for frame in FRAMES)


def raw(head: bytes, payload: bytes = b"") -> bytes:
    return struct.pack("!II", len(head), len(payload)) + head + payload


def test_a_stream_comes_out_as_it_went_in() -> None:
    assert Unpacker().feed(STREAM) == FRAMES


@given(st.lists(st.integers(0, len(STREAM))))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    unpacker = Unpacker()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    assert [frame for piece in pieces for frame in unpacker.feed(piece)] == FRAMES
    assert unpacker.feed(STREAM) == FRAMES, "nothing is left over"


def test_byte_by_byte_a_frame_comes_with_its_last_byte() -> None:
    unpacker = Unpacker()
    data = pack("ready", {"a": 1}, payload=b"payload")
    assert [frame for byte in data[:-1] for frame in unpacker.feed(bytes([byte]))] == []
    assert unpacker.feed(data[-1:]) == [Frame("ready", {"a": 1}, b"payload")]


def test_a_frame_above_the_bound_is_refused_before_it_is_collected() -> None:
    with pytest.raises(FrameError, match="above the bound of 100"):
        Unpacker(limit=100).feed(struct.pack("!II", 50, 51))


def test_a_frame_at_the_bound_is_taken() -> None:
    data = pack("a", {}, payload=b"x" * 50)
    assert len(Unpacker(limit=len(data) - 8).feed(data)) == 1


def test_nothing_above_the_bound_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_FRAME", 100)
    with pytest.raises(FrameError, match="above the bound"):
        pack("a", {}, payload=b"x" * 100)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"kind":"a"}',
        b'{"header":{}}',
        b'{"kind":1,"header":{}}',
        b'{"kind":"a","header":[]}',
        b'{"kind":"a","header":{},"x":1}',
    ],
)
def test_a_head_that_is_not_kind_and_header_is_refused(head: bytes) -> None:
    with pytest.raises(FrameError):
        Unpacker().feed(raw(head))


def test_a_header_that_is_not_json_is_refused() -> None:
    with pytest.raises(EncodeError):
        pack("a", {"x": object()})


def test_a_payload_is_never_printed() -> None:
    assert "hf_token" not in repr(Frame("config", {}, b"hf_token"))


@given(st.binary(max_size=64))
def test_any_bytes_are_frames_or_a_frame_error_or_wait_for_more(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        Unpacker(limit=1000).feed(data)
