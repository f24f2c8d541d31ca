"""A plain request leaves byte for byte as the exchange would send it; all else is left to the exchange."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.core.fast_path.both import (
    CREDENTIALS,
    INJECT,
    KEY,
    KEY_LINE,
    OTHER_KEY,
    TOKEN,
    Both,
    config,
    credential,
    everything_in,
    get,
    plan,
    route,
)
from wardgate.ir import (
    Forward,
    HeaderMatch,
    HeaderTemplate,
    Hmac,
    MessageTemplate,
    QueryMatch,
    Route,
    RouteMatch,
    TransformationPlan,
)
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.sensitive import Sensitive

PLAIN = (
    get(KEY_LINE),
    get(b"Accept: */*", b"User-Agent:  python \t", KEY_LINE, b"X-Odd: of mine"),
    get(KEY_LINE, b"Connection: keep-alive", b"traceparent: 00-ab-cd-01"),
    get(KEY_LINE, start=b"GET /v1/chat?stream=true&n=2 HTTP/1.1"),
    get(KEY_LINE, b"Content-Length: 5", b"content-type: a/b", start=b"POST /v1/chat HTTP/1.1", body=b"hello"),
    get(KEY_LINE, b"Content-Length: 007", start=b"PUT /v1/chat HTTP/1.1", body=b"1234567"),
    get(KEY_LINE, b"content-length: 0"),
    get(KEY_LINE, b"content-type: a/b"),
    get(KEY_LINE, b"X-Request-ID: mine"),
    get(KEY_LINE, b"Cookie: a=b; c=d"),
    get(b"api-key:" + OTHER_KEY.encode()),
    b"GET /v1/chat HTTP/1.1\r\nAccept: a\r\n" + KEY_LINE + b"\r\nhOsT: gw.test\r\n\r\n",
)


@pytest.mark.parametrize("data", PLAIN)
def test_a_plain_request_leaves_as_the_exchange_sends_it(data: bytes) -> None:
    both = Both()
    expected = both.general(data)
    assert expected is not None
    assert TOKEN.encode() in expected
    assert [expected] * 3 == [both.fast(data) for _ in range(3)]


NOT_PLAIN = {
    "no key": get(),
    "an empty key": get(b"api-key:"),
    "an unknown key": get(b"api-key: nobody"),
    "two keys": get(KEY_LINE, b"api-key: " + OTHER_KEY.encode()),
    "the key in another spelling": get(b"api_key: " + KEY.encode()),
    "a copy of the key": get(KEY_LINE, b"x-copy: " + KEY.encode()),
    "a copy of the key in the path": get(KEY_LINE, start=b"GET /v1/" + KEY.encode() + b" HTTP/1.1"),
    "a copy of the key in the query": get(KEY_LINE, start=b"GET /v1/chat?a=" + KEY.encode() + b" HTTP/1.1"),
    "a query that may hide a key": get(KEY_LINE, start=b"GET /v1/chat?api_key=x HTTP/1.1"),
    "a value in escapes": get(KEY_LINE, b"x-copy: %41"),
    "a value of basic authentication": get(KEY_LINE, b"x-copy: Basic abc"),
    "a credential by its name": get(KEY_LINE, b"authorization: Bearer other"),
    "a header that the Secret sets": get(KEY_LINE, b"x-token: mine"),
    "the same in another spelling": get(KEY_LINE, b"x_token: mine"),
    "a user id": get(KEY_LINE, b"x-user-id: me"),
    "no Host": b"GET /v1/chat HTTP/1.1\r\nAccept: a\r\n" + KEY_LINE + b"\r\n\r\n",
    "Host before the request line": b"Host: gw.test\r\nGET /v1/chat HTTP/1.1\r\naccept: a\r\n" + KEY_LINE + b"\r\n\r\n",
    "two Hosts": get(KEY_LINE, b"host: other"),
    "HTTP/1.0": get(KEY_LINE, start=b"GET /v1/chat HTTP/1.0"),
    "another version in the target": get(KEY_LINE, start=b"GET /v1/chat HTTP/1.1?x HTTP/1.1"),
    "HEAD": get(KEY_LINE, start=b"HEAD /v1/chat HTTP/1.1"),
    "a method in another case": get(KEY_LINE, start=b"get /v1/chat HTTP/1.1"),
    "no such route": get(KEY_LINE, start=b"GET /other HTTP/1.1"),
    "chunks": get(KEY_LINE, b"Transfer-Encoding: chunked", start=b"POST /v1 HTTP/1.1", body=b"0\r\n\r\n"),
    "chunks in another spelling": get(KEY_LINE, b"transfer_encoding: chunked"),
    "two lengths": get(KEY_LINE, b"content-length: 1", b"content-length: 1", start=b"POST /v1 HTTP/1.1", body=b"1"),
    "a length that is none": get(KEY_LINE, b"content-length: +1", start=b"POST /v1 HTTP/1.1", body=b"1"),
    "a body that is not whole": get(KEY_LINE, b"content-length: 2", start=b"POST /v1 HTTP/1.1", body=b"1"),
    "more than the body": get(KEY_LINE, b"content-length: 2", start=b"POST /v1 HTTP/1.1", body=b"123"),
    "a body without a length": get(KEY_LINE, start=b"POST /v1 HTTP/1.1", body=b"123"),
    "a POST without a body": get(KEY_LINE, b"content-type: a/b", start=b"POST /v1/chat HTTP/1.1"),
    "an early request": get(KEY_LINE) + get(KEY_LINE),
    "half a head": get(KEY_LINE)[:-2],
    "close": get(KEY_LINE, b"Connection: close"),
    "a named field": get(KEY_LINE, b"Connection: keep-alive, accept", b"accept: a"),
    "Upgrade": get(KEY_LINE, b"Upgrade: websocket"),
    "Expect": get(KEY_LINE, b"Expect: 100-continue"),
    "a passed proxy": get(KEY_LINE, b"CDN-Loop: me"),
    "two request ids": get(KEY_LINE, b"x-request-id: a", b"x-request-id: b"),
    "an empty request id": get(KEY_LINE, b"x-request-id:"),
    "a long request id": get(KEY_LINE, b"x-request-id: " + b"a" * 129),
    "a copy of the key where another request had something else": get(
        KEY_LINE, b"Connection: keep-alive", b"traceparent: " + KEY.encode()
    ),
    "escapes where another request had something else": get(KEY_LINE, b"Connection: keep-alive", b"traceparent: %41"),
    "a bare CR where another request had something else": get(
        KEY_LINE, b"Connection: keep-alive", b"traceparent: a\rb"
    ),
    "a bare CR in the key's own line": get(b"api-key: nob\rody"),
    "a key that is half a line": get(b"api-key: " + KEY.encode() + b"\r"),
    "a folded line": get(KEY_LINE, b"accept: a\r\n b"),
    "a bare CR": get(KEY_LINE, b"accept: a\rb"),
    "a blank before the colon": get(KEY_LINE, b"accept : a"),
    "too many fields": get(KEY_LINE, *[b"x-%d: a" % number for number in range(60)]),
    "too long a head": get(KEY_LINE, b"x-long: " + b"a" * 5000),
}


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_whatever_is_not_plain_is_left_to_the_exchange(data: bytes) -> None:
    both = Both()
    for known in PLAIN * 3:
        both.fast(known)
    assert [None, None] == [both.fast(data), both.fast(data)]


NAMES = st.sampled_from(
    [
        "accept",
        "api-key",
        "api_key",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "te",
        "traceparent",
        "transfer-encoding",
        "user-agent",
        "x-api-key",
        "x-other",
        "x-request-id",
        "x-token",
        "x_request_id",
        "x_token",
    ]
)
VALUES = st.sampled_from(
    [
        KEY,
        OTHER_KEY,
        "a",
        "",
        " padded ",
        "%41",
        "Basic eA==",
        "keep-alive",
        "close",
        "0",
        "5",
        "chunked",
        "gw.test",
        "\xe9",
    ]
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=6)
STARTS = st.sampled_from(
    ["GET /v1/chat", "POST /v1/chat", "GET /v1/chat?a=b", "GET /v1/%63hat", "GET /", "GET /v1//x?key=a"]
)


@given(st.lists(st.tuples(STARTS, LINES, st.sampled_from([b"", b"hello"])), min_size=1, max_size=5))
def test_both_ways_send_the_same_or_the_fast_one_nothing(
    requests: list[tuple[str, list[tuple[str, str]], bytes]],
) -> None:
    both = Both()
    for start, lines, body in requests * 3:
        head = [f"{start} HTTP/1.1", "Host: gw.test", f"api-key: {KEY}", *(f"{name}: {value}" for name, value in lines)]
        data = "\r\n".join((*head, "", "")).encode("latin-1") + body
        fast = both.fast(data)
        assert fast in (None, both.general(data))


@pytest.mark.parametrize(("body", "missing"), [(b"", 5), (b"hel", 2), (b"hello", 0)])
def test_a_request_is_plain_before_its_body_is_all_here(body: bytes, missing: int) -> None:
    plain = Both().lane.read(get(KEY_LINE, b"content-length: 5", start=b"POST /v1 HTTP/1.1", body=body), now=0.0)
    assert plain is not None
    assert missing == plain.missing


def test_a_revoked_key_has_nothing_to_go_by() -> None:
    both = Both()
    assert both.fast(get(KEY_LINE)) is not None
    both.lane.renew(CredentialIndex.of(CREDENTIALS[1:]))
    assert both.fast(get(KEY_LINE)) is None


def test_an_expired_key_is_left_to_the_exchange() -> None:
    both = Both(credentials=(credential(KEY, "one", expires_at=100),))
    assert [False, True] == [both.fast(get(KEY_LINE), now=now) is None for now in (99.9, 100.0)]


def test_a_key_that_not_every_address_may_send_is_left_to_the_exchange() -> None:
    """Each time, and without asking it beforehand: the way knows no caller."""
    both = Both(credentials=tuple(replace(one, allowed_from=("0.0.0.0/0", "::/0")) for one in CREDENTIALS))
    assert [None, None] == [both.fast(data) for data in [get(KEY_LINE)] * 2]


def test_keys_are_not_kept() -> None:
    both = Both()
    for data in PLAIN * 3:
        both.fast(data)
    everything = repr(everything_in(both.lane))
    assert TOKEN in everything
    assert KEY not in everything


def test_a_key_behind_a_scheme_takes_the_fast_path() -> None:
    both = Both(config(auth=plan("authorization")))
    data = get(b"Authorization: Bearer " + KEY.encode())
    expected = both.general(data)
    assert expected is not None
    assert [expected, expected] == [both.fast(data), both.fast(data)]
    assert both.fast(get(b"Authorization: Bearer " + KEY.encode(), b"x-copy: " + KEY.encode())) is None


def test_a_key_that_is_stored_as_an_hmac_takes_the_fast_path() -> None:
    digest = hmac.new(b"shared", KEY.encode(), sha256).hexdigest()
    both = Both(config(auth=plan(stored=Hmac(Sensitive("shared")))), (credential(KEY, "one", digest=digest),))
    expected = both.general(get(KEY_LINE))
    assert expected is not None
    assert [expected, expected] == [both.fast(get(KEY_LINE)), both.fast(get(KEY_LINE))]


@pytest.mark.parametrize("header", ["te", "proxy", "x-real-ip", "x-request-id", "traceparent"])
def test_a_key_in_a_header_that_says_something_else_is_for_the_exchange(header: str) -> None:
    """Most of them it never sees. There the fast path took a key that is missing on the general way."""
    both = Both(config(auth=plan(header)))
    assert both.lane.read(get(b"%b: %b" % (header.encode(), KEY.encode())), now=0.0) is None
    assert both.lane.read(get(), now=0.0) is None


GENERAL_ROUTES = {
    "a header matcher before it": (
        route(name="first", matches=(RouteMatch(headers=(HeaderMatch("x-tier", "gold"),)),)),
        route(),
    ),
    "a query matcher before it": (
        route(name="first", matches=(RouteMatch(query=(QueryMatch("tier", "gold"),)),)),
        route(),
    ),
    "no authentication": (route(auth=None),),
    "no destination": (route(action=Forward(())),),
}


@pytest.mark.parametrize("routes", GENERAL_ROUTES.values(), ids=GENERAL_ROUTES.keys())
def test_a_route_that_asks_for_more_than_the_key_is_not_plain(routes: tuple[Route, ...]) -> None:
    both = Both(config(*routes))
    assert both.general(get(KEY_LINE)) is not None or routes[0].auth is None or routes[0].action == Forward(())
    assert both.fast(get(KEY_LINE)) is None


GENERAL_PLANS = {
    "a key that is made": replace(
        INJECT, phase="pre", request=MessageTemplate(headers=(HeaderTemplate("api-key", "{{ header('x-key') }}"),))
    ),
    "a key that is taken off": replace(INJECT, phase="pre", request=MessageTemplate(remove=("Api_Key",))),
    "a tenant's before the key": replace(
        INJECT, phase="pre", owner="t", request=MessageTemplate(headers=(HeaderTemplate("x-a", "b"),))
    ),
    "a tenant's that reads a caller's header": replace(
        INJECT, owner="t", request=MessageTemplate(headers=(HeaderTemplate("x-a", '{{ header("accept") }}'),))
    ),
    "a response's body": replace(INJECT, response=MessageTemplate(headers=(HeaderTemplate("x-a", "{{ body() }}"),))),
    "a response's status": replace(INJECT, response=MessageTemplate(headers=(HeaderTemplate(":status", "201"),))),
    "a response by its request": replace(
        INJECT, response=MessageTemplate(headers=(HeaderTemplate("x-a", '{{ request_header("accept") }}'),))
    ),
    "a body": replace(INJECT, request=MessageTemplate(body_mode="template", body="b")),
    "the request's body": replace(INJECT, request=MessageTemplate(headers=(HeaderTemplate("x-a", "{{ model }}"),))),
    "a caller's secret": replace(
        INJECT, request=MessageTemplate(headers=(HeaderTemplate("x-a", '{{ header("x-my-secret") }}'),))
    ),
    "a header that is set as well": replace(
        INJECT, request=MessageTemplate(headers=(HeaderTemplate("accept", '{{ header("accept") }}b'),))
    ),
    "a caller's connection": replace(
        INJECT, request=MessageTemplate(headers=(HeaderTemplate("x-a", '{{ header("connection") }}'),))
    ),
    "a computed name": replace(
        INJECT, request=MessageTemplate(headers=(HeaderTemplate("x-a", '{{ header(header("x-token")) }}'),))
    ),
    "the path": replace(INJECT, request=MessageTemplate(headers=(HeaderTemplate(":path", "/other"),))),
    "the request id": replace(INJECT, request=MessageTemplate(headers=(HeaderTemplate("x-request-id", "mine"),))),
    "no request id": replace(INJECT, request=MessageTemplate(remove=("x-request-id",))),
    "another route": replace(INJECT, recalculate=True),
}


@pytest.mark.parametrize("transformation", GENERAL_PLANS.values(), ids=GENERAL_PLANS.keys())
def test_a_transformation_that_asks_for_more_than_the_key_is_not_plain(transformation: TransformationPlan) -> None:
    assert Both(config(transformations=(transformation,))).fast(get(KEY_LINE, b"accept: a")) is None


REFUSED = {
    "no key": (get(b"accept: a"), ReplyReason.KEY_MISSING),
    "an unknown key": (get(b"api-key: nobody"), ReplyReason.KEY_UNKNOWN),
    "an unknown key and a body": (
        get(b"api-key: nobody", b"content-length: 2", start=b"POST /v1 HTTP/1.1", body=b"hi"),
        ReplyReason.KEY_UNKNOWN,
    ),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_plain_request_without_a_good_key_gets_the_answer_of_the_exchange(data: bytes, reason: ReplyReason) -> None:
    both = Both()
    for _ in range(2):
        plain = both.lane.read(data, now=0.0)
        assert plain is not None
        assert plain.refusal is not None
        assert REFUSALS[reason] is plain.refusal.reply
        assert ("lab", "default/policy", reason) == (
            plain.refusal.facts.route,
            plain.refusal.facts.policy,
            plain.refusal.facts.reason,
        )
    assert "nobody" not in repr(everything_in(both.lane))


def test_a_key_that_comes_to_be_known_is_refused_no_longer() -> None:
    both = Both(credentials=())
    assert both.fast(get(KEY_LINE)) is None
    both.index = CredentialIndex.of(CREDENTIALS)
    both.lane.renew(both.index)
    assert both.general(get(KEY_LINE)) == both.fast(get(KEY_LINE))


@pytest.mark.parametrize("line", [b"api-key:", b"api-key: a\r\napi-key: b", b"api_key: a"])
def test_whatever_else_is_wrong_with_a_key_is_for_the_exchange_to_say(line: bytes) -> None:
    assert Both().lane.read(get(line), now=0.0) is None


@pytest.mark.parametrize("key", [b"nob\rody", b"nob\0ody", b"nobody\r"])
def test_a_line_that_is_no_field_is_refused_as_that_and_not_for_its_key(key: bytes) -> None:
    both = Both()
    for _ in range(3):
        assert both.lane.read(get(KEY_LINE, b"accept: a"), now=0.0) is not None
    assert both.lane.read(get(b"api-key: " + key, b"accept: a"), now=0.0) is None


def test_a_copy_of_the_key_is_found_where_a_request_differs_from_the_last_one() -> None:
    both = Both()
    for number in range(4):
        assert both.fast(get(KEY_LINE, b"traceparent: %d" % number)) is not None
    assert both.fast(get(KEY_LINE, b"traceparent: " + KEY.encode())) is None
    assert both.fast(get(KEY_LINE, b"traceparent: 1", start=b"GET /v1/chat?a=b HTTP/1.1")) is not None
    assert both.fast(get(KEY_LINE, b"traceparent: 1", start=b"GET /v1/chat?a=" + KEY.encode() + b" HTTP/1.1")) is None


def test_a_field_that_the_route_removes_is_not_sent_on() -> None:
    removing = replace(INJECT, request=MessageTemplate(remove=("user-agent", "x-mine")))
    both = Both(config(transformations=(removing,)))
    data = get(b"User-Agent: me", KEY_LINE, b"X-Mine: a", b"X_Mine: b", b"accept: c")
    expected = both.general(data)
    assert expected is not None
    assert b"accept" in expected
    assert b"mine" not in expected
    assert [expected] * 4 == [both.fast(data) for _ in range(4)]


def differing(number: int, *, key: bytes = KEY_LINE) -> bytes:
    """One of many requests of a client."""
    lines = (b"accept: a", key, b"user-agent: b", b"traceparent: %d" % number, b"content-length: %d" % number)
    return get(*lines, start=b"POST /v1/chat HTTP/1.1", body=b"a" * number)


def test_a_request_is_read_by_the_mould_of_one_that_was_like_it() -> None:
    both = Both()
    for number in range(1, 5):
        plain = both.lane.read(differing(number), now=0.0)
        assert plain is not None
        assert (number > 2) == (plain.mould is not None)
        assert b"%d" % number == plain.traceparent
        assert number == plain.length
    other = b"api-key: " + OTHER_KEY.encode()
    assert both.general(differing(20, key=other)) == both.fast(differing(20, key=other))


def test_each_kind_of_client_has_a_mould() -> None:
    both = Both()
    kinds = [get(KEY_LINE, b"accept: a"), get(b"accept: a", KEY_LINE), get(KEY_LINE, b"user-agent: b", b"X-Mine: 1")]
    for data in kinds * 3:
        both.fast(data)
    for data in kinds * 2:
        plain = both.lane.read(data, now=0.0)
        assert plain is not None
        assert plain.mould is not None
        assert plain.mould is plain.way.known.moulds[0]
        assert both.general(data) == both.fast(data)


def test_a_listed_field_that_differs_each_time_makes_no_moulds() -> None:
    both = Both()
    for number in range(20):
        both.fast(get(KEY_LINE, b"content-type: multipart/form-data; boundary=%d" % number))
    (known,) = {id(way.known): way.known for way in both.lane._ways.kept.values()}.values()
    assert [] == known.moulds


def test_a_mould_fits_while_all_of_them_are_forgotten() -> None:
    """A line in a gap may be one to be remembered, for which there is no room."""
    both = Both()
    for number in range(3):
        assert both.fast(get(KEY_LINE, b"connection: keep-alive" + b" " * 600, b"x-mine: %d" % number)) is not None
    both.memory.remembered = 64
    assert both.fast(get(KEY_LINE, b"connection: keep-alive", b"x-mine: 3")) is not None
    assert both.fast(get(KEY_LINE, b"connection: keep-alive", b"x-mine: 4")) is not None


def test_moulds_are_bounded() -> None:
    both = Both()
    lines = [b"accept: %d" % number for number in range(12)]
    for number in range(12):
        for _ in range(3):
            both.fast(get(KEY_LINE, *lines[number:], *lines[:number]))
        moulds = [mould for way in both.lane._ways.kept.values() for mould in way.known.moulds]
        assert sum(mould.lines for mould in moulds) <= both.memory.remembered <= 64


def test_what_is_remembered_is_bounded() -> None:
    both = Both()
    for number in range(100):
        for _ in range(3):
            both.fast(get(KEY_LINE, b"accept: %d" % number, start=b"GET /v1/%d HTTP/1.1" % number))
        assert both.memory.remembered <= 64
    assert 0 < len(both.lane._ways.kept) <= 4 * 8
    assert 0 < len(both.lane.known.kept) <= 4 * 8
