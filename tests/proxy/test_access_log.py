"""The access log's writer: whole lines, never in a request's way."""

from __future__ import annotations

import json
import os
import threading

from wardgate.proxy.access_log import AccessLog, batches, standard_output


def test_entries_become_json_lines() -> None:
    written: list[bytes] = []
    log = AccessLog(write=written.append)
    log.start()
    log.add({"path": "/a\n\xff", "status": 200})
    log.close()
    assert [json.loads(line) for line in b"".join(written).splitlines()] == [{"path": "/a\n\xff", "status": 200}]


def test_a_write_holds_whole_lines_and_stays_below_the_limit() -> None:
    lines = [b"aaaa\n", b"bbbb\n", b"cc\n", b"a long line that goes alone\n", b"d\n"]
    assert list(batches(lines, limit=10)) == [b"aaaa\nbbbb\n", b"cc\n", b"a long line that goes alone\n", b"d\n"]


def test_nothing_collected_writes_nothing() -> None:
    assert list(batches([], limit=10)) == []


def test_a_reader_that_stalls_costs_log_lines_and_nothing_else() -> None:
    release = threading.Event()
    log = AccessLog(write=lambda _: release.wait())
    log.start()
    for _ in range(300):
        log.add({"a": 1})
        log.flush()
    assert 0 < log.dropped < 300
    release.set()
    log.close()


def test_an_output_that_is_gone_costs_log_lines_and_nothing_else() -> None:
    def broken(_: bytes) -> None:
        raise BrokenPipeError

    log = AccessLog(write=broken)
    log.start()
    log.add({"a": 1})
    log.add({"a": 2})
    log.close()
    assert log.dropped == 2


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
