"""The access log's lines: valid JSON whatever a caller wrote, of the documented fields, short enough to be whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.recorded import record
from wardgate.proxy.log_line import LINE_BYTES, PATH_BYTES, VERSION, LogLines, lost_lines, origin, shortened
from wardgate.proxy.request_record import UNKNOWN, RequestRecord

DOCUMENT = (Path(__file__).parents[2] / "docs" / "access-log.md").read_text()
NAMES = ("listener", "route", "policy", "key", "upstream")
LINES = LogLines()
NOW = 1767225600.1256
TRACE = "0af7651916cd43dd8448eb211c80319c"

ODD = st.binary(max_size=80) | st.binary(max_size=2000) | st.sampled_from([b"%22", b'"\\\x7f\x00\n', b"\xff" * 2000])
TEXT = st.text(max_size=30) | st.text(max_size=900) | st.sampled_from(["\ud800", "a\u2028b", '"},{', "ä" * 600])
SECONDS = st.floats(min_value=0, max_value=100_000, allow_nan=False)


def made(entry: RequestRecord, *, names: dict[str, str], reason: str = "") -> str:
    entry.origin = origin(
        listener=names["listener"],
        route=names["route"],
        policy=names["policy"],
        key=names["key"],
        upstream=names["upstream"],
        status=entry.status,
        reason=reason,
        sample=0.25,
    )
    (line,) = LINES.of([LINES.entry(entry)])
    return line


def reference(entry: RequestRecord, *, names: dict[str, str], trace_id: str, reason: str) -> str:
    """The same line by ``json.dumps``, for texts that need no cut."""
    return json.dumps(
        {
            "v": 1,
            "time": int(NOW * 1000) / 1000,
            **{name: names[name] for name in NAMES},
            "status": entry.status,
            "reason": reason,
            "sample": 0.25,
            "caller": entry.peer,
            "request_id": entry.request_id.decode("latin-1"),
            "trace_id": trace_id,
            "provider_request_id": entry.provider_id.decode("latin-1"),
            "method": entry.method.decode("latin-1"),
            "path": entry.path.decode("latin-1"),
            "attempts": entry.attempts,
            "duration_ms": milliseconds(entry.duration),
            "overhead_ms": milliseconds(entry.overhead),
            "upstream_ms": milliseconds(entry.upstream),
            "ttft_ms": milliseconds(entry.ttft),
            "received_bytes": entry.received,
            "sent_bytes": entry.sent,
        }
    )


def milliseconds(span: int) -> float | None:
    return None if span < 0 else span / 1000


@given(
    names=st.fixed_dictionaries(dict.fromkeys(NAMES, TEXT)),
    texts=st.tuples(ODD, ODD, ODD, ODD),
    peer=TEXT,
    spans=st.tuples(SECONDS, SECONDS, SECONDS, st.booleans(), st.booleans()),
)
def test_any_bytes_make_a_valid_line_with_the_values_of_a_slow_reference(
    names: dict[str, str],
    texts: tuple[bytes, bytes, bytes, bytes],
    peer: str,
    spans: tuple[float, float, float, bool, bool],
) -> None:
    method, path, request_id, provider_id = texts
    asked, first, ended, was_asked, has_body = spans
    entry = record(
        method=method,
        path=path,
        request_id=request_id,
        peer=peer,
        provider_id=provider_id,
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01".encode(),
        asked=100.0 + asked if was_asked else 0.0,
        first_byte=100.0 + first if has_body else 0.0,
        ended=100.0 + ended,
    )
    line = made(entry, names=names, reason="no_route")
    assert line.isascii()
    assert line[:-1].isprintable()
    assert line.endswith("}\n")
    assert len(line) <= LINE_BYTES
    told = json.loads(line)
    slow = json.loads(reference(entry, names=names, trace_id=TRACE, reason="no_route"))
    assert list(slow) == list(told)
    for name, value in told.items():
        if isinstance(value, str) and value.endswith("…"):
            assert slow[name].startswith(value[:-1])
            assert len(json.dumps(slow[name])) > 64
        else:
            assert slow[name] == value, name


def documented() -> dict[str, str]:
    """The type of each field by its name, in the order of the table."""
    table = DOCUMENT.partition("## Version 1\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", table, re.MULTILINE))


def test_the_documented_fields_are_those_of_a_line_in_their_order() -> None:
    line = json.loads(made(record(), names=dict.fromkeys(NAMES, "x")))
    assert list(documented()) == list(line)


@pytest.mark.parametrize("changes", [{}, {"asked": 0.0, "first_byte": 0.0}])
def test_each_field_has_the_documented_type(changes: dict[str, float]) -> None:
    types = {"number": (int, float), "text": (str,), "number or null": (int, float, type(None))}
    line = json.loads(made(record(**changes), names=dict.fromkeys(NAMES, "x")))
    assert [] == [name for name, told in documented().items() if not isinstance(line[name], types[told])]


def test_the_documented_version_is_the_one_that_is_written() -> None:
    assert f"## Version {VERSION}\n" in DOCUMENT
    assert VERSION == json.loads(made(record(), names=dict.fromkeys(NAMES, "")))["v"]


def test_the_documented_notice_of_lost_lines_is_the_one_that_is_written() -> None:
    assert lost_lines(12, now=1767225600.125) in DOCUMENT


def test_spans_are_told_in_milliseconds() -> None:
    line = json.loads(made(record(), names=dict.fromkeys(NAMES, "")))
    told = [line[name] for name in ("duration_ms", "overhead_ms", "upstream_ms", "ttft_ms")]
    assert [1250.0, 0.2, 1249.8, 250.0] == pytest.approx(told, abs=0.0011)


def test_waiting_for_a_body_that_is_collected_is_nobodys_overhead() -> None:
    entry = record(asked=105.0, waited=4.0, first_byte=0.0, ended=107.0)
    assert (7_000_000, 2_000_000, 1_000_000) == (entry.duration, entry.upstream, entry.overhead)


def test_a_body_that_never_came_whole_was_waited_for_until_the_end() -> None:
    entry = record(asked=0.0, first_byte=0.0, collecting=101.0, ended=116.0)
    assert 1_000_000 == entry.overhead


def test_overhead_is_never_negative() -> None:
    assert 0 == record(asked=105.0, waited=5.5, first_byte=0.0, ended=107.0).overhead


def test_a_response_without_a_body_has_no_first_byte() -> None:
    assert UNKNOWN == record(sent=0).ttft


def test_time_after_the_response_of_the_upstream_is_ours() -> None:
    entry = record(asked=101.0, upstream_ended=105.0, ended=106.0)
    assert (4_000_000, 2_000_000) == (entry.upstream, entry.overhead)


def test_names_too_long_for_one_write_are_cut() -> None:
    line = made(record(path=b"\xff" * 5000), names=dict.fromkeys(NAMES, "\xff" * 1000))
    assert len(line) <= LINE_BYTES
    assert json.loads(line)["route"] == "\xff" * 25 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/" + "a" * 1023, "/" + "a" * 1023),
        ("/" + "a" * 1024, "/" + "a" * 1017 + "…"),
        ("/" + "\xe9" + "a" * 1017, "/" + "\xe9" + "a" * 1017),
        ("/" + "\xe9" * 171, "/" + "\xe9" * 168 + "…"),
        ('"' * 513, '"' * 169 + "…"),
        ("/short", "/short"),
    ],
)
def test_a_path_is_cut_at_a_kibibyte_and_says_so(text: str, expected: str) -> None:
    cut = shortened(text, PATH_BYTES)
    assert cut == expected
    assert len(json.dumps(cut)) - 2 <= PATH_BYTES


def test_an_id_is_cut_at_a_quarter_of_a_kibibyte() -> None:
    entry = record(request_id=b"a" * 300, provider_id=b"b" * 256)
    line = json.loads(made(entry, names=dict.fromkeys(NAMES, "")))
    assert ("a" * 250 + "…", "b" * 256) == (line["request_id"], line["provider_request_id"])


@pytest.mark.parametrize("text", [b'a"b', b"a\\b", b"a b", b"req_1-2.3:4", b"\xe9"])
def test_an_id_is_told_whatever_it_is_made_of(text: bytes) -> None:
    line = json.loads(made(record(request_id=text, provider_id=text), names=dict.fromkeys(NAMES, "")))
    assert [text.decode("latin-1")] * 2 == [line["request_id"], line["provider_request_id"]]


def test_texts_that_are_remembered_stay_bounded() -> None:
    for number in range(5000):
        made(record(path=b"/%d" % number), names=dict.fromkeys(NAMES, ""))
    assert len(LINES._targets) <= 1024
