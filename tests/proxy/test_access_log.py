"""The access log's lines: JSON, short enough to be written whole, and never in a request's way."""

from __future__ import annotations

import json
import os
import threading

import pytest

from wardgate.proxy.access_log import PATH_BYTES, AccessLog, shortened, standard_output

MIB = 1024 * 1024


def written(*entries: dict[str, object]) -> list[bytes]:
    lines: list[bytes] = []
    log = AccessLog(write=lines.append, limit=MIB)
    log.start()
    for entry in entries:
        log.add(entry)
    log.close()
    return b"".join(lines).splitlines()


def test_entries_become_json_lines() -> None:
    assert [json.loads(line) for line in written({"path": "/a\n\xff", "status": 200})] == [
        {"path": "/a\n\xff", "status": 200}
    ]


def test_no_control_character_stands_in_a_line() -> None:
    text = "".join(map(chr, range(0x100)))
    (line,) = written({"path": text})
    assert all(0x20 <= byte < 0x7F for byte in line)
    assert json.loads(line) == {"path": text}


def test_an_entry_too_long_for_one_write_is_cut_field_by_field() -> None:
    entry: dict[str, object] = dict.fromkeys(("path", "route", "policy", "key", "upstream"), "\xff" * 1000)
    (line,) = written({**entry, "status": 200})
    assert len(line) < 4096
    assert json.loads(line)["route"] == "\xff" * 25 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/" + "a" * 1023, "/" + "a" * 1023),
        ("/" + "a" * 1024, "/" + "a" * 1017 + "…"),
        ("/" + "\xe9" + "a" * 1017, "/" + "\xe9" + "a" * 1017),
        ("/" + "\xe9" * 171, "/" + "\xe9" * 168 + "…"),
        ("/short", "/short"),
    ],
)
def test_a_path_is_cut_at_a_kibibyte_and_says_so(text: str, expected: str) -> None:
    cut = shortened(text, PATH_BYTES)
    assert cut == expected
    assert len(json.dumps(cut)) - 2 <= PATH_BYTES


def test_a_reader_that_stalls_costs_log_lines_and_no_memory() -> None:
    release = threading.Event()
    lines: list[bytes] = []

    def write(data: bytes) -> None:
        assert release.wait(10.0)
        lines.append(data)

    log = AccessLog(write=write, limit=1000)
    log.start()
    for number in range(300):
        log.add({"a": number})
        log.flush()
    assert 0 < log.dropped < 300
    dropped = log.dropped
    release.set()
    log.close()
    entries = [json.loads(line) for line in b"".join(lines).splitlines()]
    assert [entry["lines_dropped"] for entry in entries if "lines_dropped" in entry] == [dropped]
    assert entries[-1] == {"a": 299}


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
