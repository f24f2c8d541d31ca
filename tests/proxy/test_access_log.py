"""The access log's way out: whole lines, many at a time, and never in a request's way."""

from __future__ import annotations

import json
import os
import threading

from tests.proxy.recorded import record
from wardgate.proxy.access_log import AccessLog, standard_output

MIB = 1024 * 1024


def test_lines_are_written_whole_and_many_at_a_time() -> None:
    written: list[bytes] = []
    log = AccessLog(write=written.append, limit=MIB)
    for number in range(100):
        log.add(record(path=b"/%d" % number))
    log.start()
    log.close()
    assert list(range(100)) == [int(json.loads(line)["path"][1:]) for line in b"".join(written).splitlines()]
    assert all(data.endswith(b"}\n") and len(data) <= 4096 for data in written)
    assert len(written) < 20


def test_a_reader_that_stalls_costs_log_lines_and_no_memory() -> None:
    release = threading.Event()
    lines: list[bytes] = []

    def write(data: bytes) -> None:
        assert release.wait(10.0)
        lines.append(data)

    log = AccessLog(write=write, limit=10_000)
    log.start()
    for number in range(300):
        log.add(record(path=b"/%d" % number))
        log.flush()
    assert 0 < log.dropped < 300
    dropped = log.dropped
    release.set()
    log.close()
    entries = [json.loads(line) for line in b"".join(lines).splitlines()]
    # The writer may have begun before the loss was complete, and then tells of it twice.
    assert dropped == sum(entry.get("lines_dropped", 0) for entry in entries)
    assert "/299" == entries[-1]["path"]


def test_lines_that_are_lost_together_are_all_counted() -> None:
    log = AccessLog(write=len, limit=30_000)
    for _ in range(64):
        log.add(record(path=b"/" + b"a" * 200))
    log.flush()
    assert 32 == log.dropped


def test_lines_are_written_before_too_many_wait() -> None:
    written = threading.Event()
    log = AccessLog(write=lambda _: written.set(), limit=100_000)
    log.start()
    for _ in range(96):
        log.add(record())
    assert written.wait(10.0)
    log.close()


def test_standard_output_takes_everything() -> None:
    reading, writing = os.pipe()
    saved = os.dup(1)
    try:
        os.dup2(writing, 1)
        standard_output(b"all of it\n")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(writing)
    assert os.read(reading, 100) == b"all of it\n"
    os.close(reading)
