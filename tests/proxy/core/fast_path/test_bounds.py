"""What callers, with a key or without, and providers can make the fast path remember is bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

from tests.proxy.core.fast_path.both import INJECT, KEY_LINE, OTHER_KEY, Both, config, everything_in, get
from wardgate.ir import HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.core.fast_path.plain_request import PlainRequest

LONG = b"l" * 3000
OTHER_KEY_LINE = b"api-key: " + OTHER_KEY.encode()
SHOWN = HeaderTemplate("x-shown", '{{ header("accept") }}')
STAMPED = HeaderTemplate("x-stamp", '{{ header("server") }}')
PLANS = (
    replace(
        INJECT,
        request=MessageTemplate(headers=(SHOWN,)),
        response=MessageTemplate(headers=(STAMPED,)),
    ),
)
RESPONSE = b"HTTP/1.1 200 %b\r\nserver: %b\r\ncontent-length: 0\r\n\r\n"


def asked(both: Both, data: bytes) -> PlainRequest | None:
    return both.lane.read(data, now=0.0)


def answered(plain: PlainRequest, *, phrase: bytes = b"OK", server: bytes) -> bytes:
    """Return the head for the caller."""
    assert plain.way.responses is not None
    assert plain.outcome is not None
    data = RESPONSE.replace(b"content-length: 0", b"content-length: 2") % (phrase, server) + b"ok"
    read = plain.way.responses.read(data, plain.outcome.answer)
    return b"" if read is None else read.head


def with_plans(*plans: TransformationPlan) -> Both:
    return Both(config(transformations=plans or PLANS))


def texts(of: object) -> Iterator[bytes]:
    if isinstance(of, bytes):
        yield of
    elif isinstance(of, list | tuple):
        for each in of:
            yield from texts(each)


LANE_MEMORY = attrgetter("_ways", "_responses", "known._outcomes", "known._forms")


def texts_held(both: Both) -> list[bytes]:
    """All that the lane and its memory hold, without what the config has."""
    seen = [everything_in(each, 12) for each in (*LANE_MEMORY(both.lane), both.memory)]
    return list({id(text): text for text in texts(seen)}.values())


def held(both: Both) -> int:
    return sum(map(len, texts_held(both)))


def test_what_callers_without_a_key_leave_is_bounded() -> None:
    both = with_plans()
    for number in range(60):
        for _ in range(3):
            own = b"x-%d-%b: a" % (number, LONG)
            asked(both, get(b"accept: a", own, b"user-agent: %d" % (number % 4), start=b"GET /v1/%d HTTP/1.1" % number))
    assert held(both) < 64 * 512


def test_what_callers_with_a_key_leave_is_bounded() -> None:
    both = with_plans()
    for number in range(64):
        start = b"GET /v1/%d HTTP/1.1" % number
        for turn in range(4):
            asked(both, get(KEY_LINE, b"accept: %d%b" % (turn, LONG), start=start))
            asked(both, get(KEY_LINE, *[b"accept: %d%b" % (turn, LONG[:400])] * 6, start=start))
    assert held(both) < 64 * 512


def test_field_that_plans_read_is_for_the_exchange_where_it_is_long() -> None:
    both = with_plans()
    sizes = (512, 513)
    requests = [get(KEY_LINE, b"accept: " + b"a" * size) for size in sizes]
    assert [both.general(requests[0]), None] == [both.fast(data) for data in requests]


def test_what_providers_leave_is_bounded() -> None:
    both = with_plans()
    for number in range(8):
        for key in (KEY_LINE, OTHER_KEY_LINE):
            plain = asked(both, get(key, start=b"GET /v1/%d HTTP/1.1" % number))
            assert plain is not None
            for turn in range(40):
                answered(plain, phrase=b"%d%b" % (turn, LONG), server=b"a")
                answered(plain, server=b"%d-%d-%b" % (number, turn, LONG))
    assert held(both) < 64 * 512


def test_field_of_a_response_that_plans_have_read_is_not_held() -> None:
    """It may be a cookie."""
    both = with_plans()
    plain = asked(both, get(KEY_LINE))
    assert plain is not None
    assert LONG in answered(plain, server=LONG)
    assert not any(LONG in text for text in texts_held(both))


def test_what_a_plan_makes_of_a_response_is_remembered_once_for_all_callers() -> None:
    """No caller has a say in it. It was kept for each key on each path, and a provider chose how often."""
    both = with_plans()
    requests = [get(key, start=start) for key in (KEY_LINE, OTHER_KEY_LINE) for start in STARTS]
    found = [asked(both, data) for data in requests]
    for number, plain in enumerate(found):
        assert plain is not None
        assert b"x-stamp: %d\r\n" % number in answered(plain, server=b"%d" % number)
        assert b"x-stamp: again\r\n" in answered(plain, server=b"again")
    answers = {id(plain.outcome.answer): plain.outcome.answer for plain in found if plain and plain.outcome}
    (answer,) = answers.values()
    assert answer is not None
    assert len(found) + 1 == len(answer._known)


STARTS = (b"GET /v1/a HTTP/1.1", b"GET /v1/b HTTP/1.1")
