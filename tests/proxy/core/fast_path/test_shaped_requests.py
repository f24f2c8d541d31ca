"""Requests of routes whose plans read fields or the body, or that have several destinations, leave as they ought to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.proxy.core.fast_path.both import INJECT, KEY, KEY_LINE, Both, config, everything_in, get, route
from wardgate.ir import (
    AppendedHeader,
    Extractor,
    Forward,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
    WeightedUpstream,
)

TEAM = Extractor("team", "x-team", "([a-z]+)-.*", subgroup=1)
SHAPE = TransformationPlan(
    "inject",
    "pre",
    request=MessageTemplate(
        extractors=(TEAM,),
        headers=(HeaderTemplate("x-team-name", "{{ team }}"),),
        body_mode="template",
        body='{"model": "{{ model }}", "team": "{{ team }}", "accept": "{{ header("accept") }}"}',
    ),
)


def post(body: bytes, *lines: bytes) -> bytes:
    return get(KEY_LINE, *lines, b"Content-Length: %d" % len(body), start=b"POST /v1/chat HTTP/1.1", body=body)


def message(**changes: object) -> TransformationPlan:
    return replace(INJECT, request=replace(MessageTemplate(), **changes))  # type: ignore[arg-type]


SET = message(headers=(HeaderTemplate("x-a", '<{{ header("accept") }}>'),))
FIELDS = {
    "set after the key": SET,
    "set before the key": replace(SET, phase="pre"),
    "extracted": replace(message(extractors=(TEAM,), headers=(HeaderTemplate("x-a", "{{ team }}"),)), phase="pre"),
    "appended": message(append=(AppendedHeader("x-a", '{{ request_header("accept") }}'),)),
}


@pytest.mark.parametrize("plan", FIELDS.values(), ids=FIELDS.keys())
def test_field_that_a_plan_reads_counts_each_time(plan: TransformationPlan) -> None:
    both = Both(config(transformations=(plan,)))
    lines = [
        b"accept: a",
        b"accept: b",
        b"Accept: a",
        b"x-team: red-1",
        b"X-Team: blue-2",
        b"x_team: blue-2",
        b"dnt: 1",
    ]
    requests = [get(line, KEY_LINE) for line in lines] + [get(KEY_LINE, *lines)] * 2
    expected = [both.general(data) for data in requests]
    assert len(set(expected)) >= 6
    assert expected == [both.fast(data) for data in requests]


def test_field_in_escapes_may_hide_a_key() -> None:
    both = Both(config(transformations=(SET,)))
    assert both.fast(get(KEY_LINE, b"accept: %41")) is None


BODIES = (
    b'{"model": "gpt"}',
    b'{"model": "other", "more": [1, {"a": "b"}]}',
    b'{"model": "g\xc3\xa9"}',
    b'{"model": 1}',
)
BROKEN = {
    "no JSON": b"{",
    "a value that is missing": b"{}",
    "a list, which has no room for an extraction": b"[]",
    "too deep": b'{"model": ' + b"[" * 400 + b"]" * 400 + b"}",
    "not of text": b'{"model": "\xff"}',
}


def test_body_is_made_anew_each_time() -> None:
    both = Both(config(transformations=(SHAPE,)))
    requests = [post(body, b"x-team: red-1", b"accept: a") for body in BODIES * 2]
    assert None not in (expected := [both.general(data) for data in requests])
    assert expected == [both.fast(data) for data in requests]


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_body_of_which_none_can_be_made_is_for_the_exchange(body: bytes) -> None:
    both = Both(config(transformations=(SHAPE,)))
    assert both.general(post(body)) is None
    for _ in range(2):
        assert both.lane.read(post(body), now=0.0) is None
        assert both.fast(post(BODIES[0])) is not None


MORE_THAN_THE_BODY = {
    "set by the body": message(headers=(HeaderTemplate("x-a", "{{ model }}"),), body_mode="template", body="a"),
    "extracted of the body": message(
        extractors=(Extractor("a", None, ".*"),),
        headers=(HeaderTemplate("x-a", "{{ a }}"),),
        body_mode="template",
        body="a",
    ),
    "merged": message(extractors=(TEAM,), body_mode="merge_extractors"),
    "by the key": message(body_mode="template", body='{{ header("x-token") }}'),
    "by the key's owner": message(
        body_mode="template", body='{{ dynamic_metadata("userId", "envoy.filters.http.ext_authz") }}'
    ),
    "empty": message(body_mode="template", body=""),
}


@pytest.mark.parametrize("plan", MORE_THAN_THE_BODY.values(), ids=MORE_THAN_THE_BODY.keys())
def test_plan_that_takes_more_of_the_body_than_a_body_is_for_the_exchange(plan: TransformationPlan) -> None:
    both = Both(config(transformations=(plan,)))
    assert both.general(post(BODIES[0])) is not None
    assert [None, None] == [both.fast(post(BODIES[0])) for _ in range(2)]


def test_second_plan_that_makes_a_body_is_for_the_exchange() -> None:
    plans = (SHAPE, replace(INJECT, name="second", request=MessageTemplate(body_mode="template", body="b")))
    both = Both(config(route(transformations=("inject", "second")), transformations=plans))
    assert both.general(post(BODIES[0])) is not None
    assert both.fast(post(BODIES[0])) is None


@pytest.mark.parametrize(("drawn", "expected"), [(0, "provider"), (2, "provider"), (3, "second")])
def test_destination_is_the_one_that_was_drawn(drawn: int, expected: str) -> None:
    weighted = Forward((WeightedUpstream("provider", 3), WeightedUpstream("second", 1)))
    both = Both(config(route(action=weighted)), drawn=drawn)
    found = ""
    for both.drawn in (3, 0, drawn):
        plain = both.lane.read(get(KEY_LINE), now=0.0)
        assert plain is not None
        assert plain.outcome is not None
        found = plain.outcome.upstream.name
    assert expected == found


def test_destination_of_a_request_that_is_not_all_here_is_the_one_of_the_next_that_is() -> None:
    """Otherwise each held request would draw twice, and the general way, to which it may go, once more."""
    weighted = Forward((WeightedUpstream("provider", 3), WeightedUpstream("second", 1)))
    both = Both(config(route(action=weighted)), drawn=3)
    whole = post(b"hello")
    first = both.lane.read(whole[:-1], now=0.0)
    both.drawn = 0
    found = [both.lane.read(whole, now=0.0) for _ in range(2)]
    assert [1, 0, 0] == [plain.missing for plain in (first, *found) if plain is not None]
    assert ["second", "provider"] == [
        plain.outcome.upstream.name for plain in found if plain is not None and plain.outcome is not None
    ]


def test_fields_that_differ_with_each_request_leave_no_more_than_a_bound() -> None:
    both = Both(config(transformations=(SET,)))
    requests = [get(KEY_LINE, b"accept: %d" % number) for number in range(100)]
    taken = [both.fast(data) is not None for data in requests]
    assert [True] * 64 + [False] * 36 == taken
    assert both.fast(requests[63]) is not None
    assert both.fast(get(KEY_LINE)) is not None


def test_callers_without_a_good_key_do_not_use_the_bound_up() -> None:
    both = Both(config(transformations=(SET,)))
    for number in range(100):
        assert both.fast(get(b"api-key: wrong", b"accept: %d" % number)) is None
    assert both.fast(get(KEY_LINE, b"accept: a")) is not None


def test_keys_and_bodies_are_not_kept() -> None:
    both = Both(config(transformations=(SHAPE,)))
    assert both.fast(post(b'{"model": "of-the-body"}', b"x-team: red-1")) is not None
    everything = repr(everything_in(both.lane))
    assert "red" in everything
    assert KEY not in everything
    assert "of-the-body" not in everything
