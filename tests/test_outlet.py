"""Lines towards a reader who stands still: bounded, the oldest dropped, counted and told of; nobody waits."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from wardgate.outlet import WRITE_BYTES, Outlet, OutletStream, lost_messages, unblocked_standard_error, write_whole


class Reader:
    """Takes writes while it is released, one at a time."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.released = threading.Event()
        self.entered = threading.Event()

    def __call__(self, data: bytes) -> None:
        self.entered.set()
        assert self.released.wait(10.0)
        self.writes.append(data)

    @property
    def lines(self) -> list[bytes]:
        return b"".join(self.writes).splitlines()


def notice(count: int) -> bytes:
    return b"%d lost\n" % count


def test_everything_is_written_in_order_by_the_end() -> None:
    reader = Reader()
    reader.released.set()
    outlet = Outlet(write=reader, limit=1000, notice=notice)
    outlet.start()
    for number in range(10):
        outlet.put(b"%d\n" % number)
    outlet.close(within=10.0)
    assert reader.lines == [b"%d" % number for number in range(10)]
    assert outlet.dropped == 0


def test_the_oldest_lines_go_and_a_notice_stands_for_them() -> None:
    reader = Reader()
    outlet = Outlet(write=reader, limit=50, notice=notice)
    outlet.start()
    outlet.put(b"in the pipe\n")
    outlet.wake()
    assert reader.entered.wait(10.0)
    for number in range(100):
        outlet.put(b"line %04d\n" % number)
        outlet.wake()
    assert (outlet.dropped, outlet._held) == (95, 50)
    reader.released.set()
    outlet.close(within=10.0)
    assert reader.lines == [b"in the pipe", b"95 lost", *(b"line %04d" % number for number in range(95, 100))]


def test_a_line_above_the_limit_is_dropped_alone() -> None:
    reader = Reader()
    reader.released.set()
    outlet = Outlet(write=reader, limit=10, notice=notice)
    outlet.put(b"a line that is too long\n")
    outlet.put(b"short\n")
    outlet.start()
    outlet.close(within=10.0)
    assert reader.lines == [b"1 lost", b"short"]


def test_a_write_holds_whole_lines_and_is_never_torn() -> None:
    reader = Reader()
    reader.released.set()
    outlet = Outlet(write=reader, limit=100_000, notice=notice)
    for size in (1500, 1500, 1500, 9000, 10):
        outlet.put(b"x" * (size - 1) + b"\n")
    outlet.start()
    outlet.close(within=10.0)
    assert [len(data) for data in reader.writes] == [3000, 1500, 9000, 10]
    assert WRITE_BYTES == 4096


def test_an_output_that_is_gone_costs_its_lines_and_nothing_else() -> None:
    def broken(_: bytes) -> None:
        raise BrokenPipeError

    outlet = Outlet(write=broken, limit=1000, notice=notice)
    outlet.start()
    outlet.put(b"a\n")
    outlet.put(b"b\n")
    outlet.close(within=10.0)
    assert outlet.dropped == 2


def test_a_stream_passes_on_whole_lines_and_cuts_one_that_never_ends() -> None:
    reader = Reader()
    reader.released.set()
    outlet = Outlet(write=reader, limit=1_000_000, notice=notice)
    stream = OutletStream(outlet, io.TextIOWrapper(io.BytesIO(), encoding="ascii"), shown=str)
    outlet.start()
    print("one", "two", file=stream)
    stream.write("é\nbegun")
    stream.write("x" * 70_000)
    outlet.close(within=10.0)
    assert reader.lines == [b"one two", b"\\xe9", b"begun" + b"x" * 70_000]
    assert (stream.isatty(), stream.writable(), stream.encoding) == (False, True, "ascii")


def test_messages_for_a_reader_who_stands_still_block_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.enumerate()
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream, os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stderr", stream)
        with unblocked_standard_error(coloured=False):
            handler = logging.StreamHandler()
            record = logging.makeLogRecord({"msg": "x" * 10_000})
            for _ in range(500):
                handler.handle(record)
            assert lost_messages() > 0
            assert handler.stream.fileno() == writing
        assert sys.stderr is stream
        assert lost_messages() == 0
        # The thread must come to its end before its descriptor's number is used again. It does once all is read: not
        # every kernel wakes a write when the reader goes away.
        received = bytearray()
        os.set_blocking(reading, False)
        (thread,) = (each for each in threading.enumerate() if each.name == "outlet" and each not in before)
        while thread.is_alive():
            received += pipe.read1() or b""
            thread.join(0.001)
        assert b"lines are missing here" in received + (pipe.read1() or b"")


def test_message_whose_line_never_ended_is_not_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "messages").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with unblocked_standard_error(coloured=False):
            sys.stderr.write("whole\nthe last wo")
            sys.stderr.write("rds")
    assert "whole\nthe last words\n" == (tmp_path / "messages").read_text()


def test_all_of_it_reaches_a_descriptor() -> None:
    reading, writing = os.pipe()
    partial(write_whole, writing)(b"all of it\n")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"all of it\n"
