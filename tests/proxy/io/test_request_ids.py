"""Ids of requests: each its own, also beyond one block of random bytes."""

from __future__ import annotations

from wardgate.proxy.core.messages import Request
from wardgate.proxy.io.shared.request_ids import HEADER, RequestIds


def request(*ids: bytes) -> Request:
    return Request(
        method=b"GET",
        path=b"/",
        query=None,
        authority=b"h",
        headers=[(HEADER, each) for each in ids],
        scheme=b"http",
        has_body=False,
    )


def test_every_request_gets_an_id_of_its_own() -> None:
    ids = RequestIds()
    requests = [request() for _ in range(300)]

    for each in requests:
        ids.name(each)

    given = {value for each in requests for _, value in each.headers}
    assert 300 == len(given)
    assert {32} == {len(value) for value in given}


def test_id_in_another_spelling_does_not_go_on() -> None:
    alone, beside = request(), request(b"mine")
    for each in (alone, beside):
        each.headers.append((b"x_request_id", b"forged"))
        RequestIds().name(each)

    assert [[HEADER], [HEADER]] == [[name for name, _ in each.headers] for each in (alone, beside)]
    assert b"mine" not in dict(beside.headers).values()


def test_workers_share_no_ids() -> None:
    one, other = request(), request()

    RequestIds().name(one)
    RequestIds().name(other)

    assert one.headers != other.headers


def test_id_of_a_caller_is_kept_if_it_can_be_logged() -> None:
    kept, repeated, long = request(b"mine"), request(b"mine", b"mine"), request(b"m" * 129)

    for each in (kept, repeated, long):
        RequestIds().name(each)

    assert [(HEADER, b"mine")] == kept.headers
    assert [32, 32] == [len(value) for each in (repeated, long) for _, value in each.headers]
