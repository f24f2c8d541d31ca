"""The access log's way out: whole lines, many at a time, and never in a request's way."""

from __future__ import annotations

import json
import os
import threading

from wardgate.proxy.access_log import AccessLog, standard_output

MIB = 1024 * 1024


def test_lines_are_written_whole_and_many_at_a_time() -> None:
    written: list[bytes] = []
    log = AccessLog(write=written.append, limit=MIB)
    lines = [f"{number} {'a' * 480}\n" for number in range(20)]
    for line in lines:
        log.add(line)
    log.start()
    log.close()
    assert "".join(lines).encode() == b"".join(written)
    assert [8, 8, 4] == [data.count(b"\n") for data in written]
    assert max(map(len, written)) <= 4096


def test_a_reader_that_stalls_costs_log_lines_and_no_memory() -> None:
    release = threading.Event()
    lines: list[bytes] = []

    def write(data: bytes) -> None:
        assert release.wait(10.0)
        lines.append(data)

    log = AccessLog(write=write, limit=1000)
    log.start()
    for number in range(300):
        log.add(f'{{"a":{number}}}\n')
        log.flush()
    assert 0 < log.dropped < 300
    dropped = log.dropped
    release.set()
    log.close()
    entries = [json.loads(line) for line in b"".join(lines).splitlines()]
    assert [entry["lines_dropped"] for entry in entries if "lines_dropped" in entry] == [dropped]
    assert entries[-1] == {"a": 299}


def test_lines_that_are_lost_together_are_all_counted() -> None:
    log = AccessLog(write=len, limit=1000)
    for _ in range(50):
        log.add("a" * 99 + "\n")
    log.flush()
    assert 40 == log.dropped


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
