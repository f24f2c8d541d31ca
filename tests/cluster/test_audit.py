"""The audit log, read while requests are on their way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.audit import answered, in_flight, read_events

MARKER = "/version?seen=1"


class Log:
    """An audit log, written stage by stage."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    @property
    def end(self) -> int:
        return self.path.stat().st_size

    def write(self, identity: str, stage: str, *, uri: str = "") -> None:
        record = {"auditID": identity, "stage": stage, "verb": "get", "user": {}, "requestURI": uri or f"/{identity}"}
        with self.path.open("a", encoding="ascii") as file:
            file.write(json.dumps(record) + "\n")

    def whole(self, identity: str, *, uri: str = "") -> None:
        for stage in ("RequestReceived", "ResponseComplete"):
            self.write(identity, stage, uri=uri)

    def in_flight(self, *, start: int = 0) -> set[str]:
        return in_flight(read_events(self.path, start=0), marker=MARKER, start=start)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "audit.log")


def test_request_is_in_flight_until_its_answer_is_logged(log: Log) -> None:
    log.write("patch", "RequestReceived")
    log.whole("marker", uri=MARKER)
    assert {"/patch"} == log.in_flight()
    log.write("patch", "ResponseComplete")
    assert set() == log.in_flight()


def test_watch_that_began_is_not_in_flight(log: Log) -> None:
    log.write("watch", "RequestReceived")
    log.write("watch", "ResponseStarted")
    log.whole("marker", uri=MARKER)
    assert set() == log.in_flight()


def test_request_after_the_marker_is_not_waited_for(log: Log) -> None:
    log.whole("marker", uri=MARKER)
    log.write("later", "RequestReceived")
    assert set() == log.in_flight()


def test_request_that_a_killed_server_had_received_is_not_waited_for(log: Log) -> None:
    log.write("lost", "RequestReceived")
    began = log.end
    log.whole("marker", uri=MARKER)
    assert set() == log.in_flight(start=began)


def test_answer_to_a_request_from_before_the_mark_is_left_out(log: Log) -> None:
    log.write("early", "RequestReceived")
    mark = log.end
    log.write("early", "ResponseComplete")
    log.whole("late")
    assert ["/late"] == [event.uri for event in answered(read_events(log.path, start=mark))]
