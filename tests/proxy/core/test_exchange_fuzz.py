"""Whatever the config and the request: no exception, and no way past a key (invariants 1 to 3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.proxy.core.conversation import KEY, NOW, TOKEN, UPSTREAM, Talk, auth_plan, config, credential, key_step
from wardgate.ir import (
    AppendedHeader,
    BasicAuthStep,
    BoolAnd,
    BoolNot,
    BoolOr,
    BoolStep,
    Digest,
    DirectResponse,
    Endpoint,
    Extractor,
    Forward,
    HeaderMatch,
    HeaderTemplate,
    MessageTemplate,
    MetadataHeader,
    PathMatch,
    PrefixRewrite,
    Redirect,
    Refuse,
    RegexRewrite,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    WeightedUpstream,
)
from wardgate.proxy.core.http1.paths import read_target
from wardgate.proxy.core.messages import Incoming, NeedBody, Outgoing, Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.url_path import normalise

NAMES = [
    "api-key",
    "x-api-key",
    "authorization",
    "x-user-id",
    "a",
    ":path",
    ":method",
    "host",
    "content-type",
    ":status",
    "content-length",
    "te",
]
names = st.sampled_from(NAMES)
texts = st.sampled_from(
    [
        "",
        "text",
        "{{ e }}",
        "Bearer {{ e }}",
        "{{ body() }}",
        '{{ header("a") }}',
        '{{ request_header("x-api-key") }}',
        "{{ a.b }}",
        "{{ missing }}",
        "{{ broken",
        "/other?x={{ e }}",
        "/%61//b/%2e%2e/{{ e }}",
        "/..%2F{{ e }}",
        "{{ context() }}",
        '{{ base64_decode("DQo=") }}',
    ]
)
maybe = st.none() | texts
messages = st.builds(
    MessageTemplate,
    extractors=st.lists(
        st.builds(
            Extractor,
            st.sampled_from(["e", "a.b", "a"]),
            st.none() | names,
            st.sampled_from([".*", "a(.*)", "[", ""]),
        ),
        max_size=2,
    ).map(tuple),
    headers=st.lists(st.builds(HeaderTemplate, names, maybe), max_size=3).map(tuple),
    append=st.lists(st.builds(AppendedHeader, names, texts), max_size=2).map(tuple),
    remove=st.lists(names, max_size=2).map(tuple),
    body_mode=st.sampled_from(["keep", "template", "passthrough", "merge_extractors"]),
    body=texts,
    parse_body=st.sampled_from([None, "ParseAsJson", "DontParse"]),
    ignore_parse_error=st.booleans(),
    advanced=st.booleans(),
    escape=st.booleans(),
)
plans = st.builds(
    TransformationPlan,
    name=st.sampled_from(["t1", "t2", "t3"]),
    phase=st.sampled_from(["pre", "post"]),
    request=st.none() | messages,
    response=st.none() | messages,
    recalculate=st.booleans(),
)
steps = st.sampled_from(["a", "b", "nobody"]).map(BoolStep)
expressions = st.recursive(
    steps,
    lambda inner: (
        st.builds(BoolNot, inner)
        | st.lists(inner, max_size=3).map(lambda each: BoolAnd(tuple(each)))
        | st.lists(inner, max_size=3).map(lambda each: BoolOr(tuple(each)))
    ),
    max_leaves=5,
)
STEPS = [
    key_step(name="a"),
    key_step(name="b", header="authorization", metadata_headers=(MetadataHeader("a", "token", required=True),)),
    key_step(name="a", stored=Digest(("a",))),
    key_step(name="b", key_set="nobody"),
    BasicAuthStep("b", "realm", "sha1", ()),
]
auths = st.builds(
    lambda chosen, expression, forwards: auth_plan(*chosen, expression=expression, forward_credential=forwards),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=2),
    st.none() | expressions,
    st.booleans(),
)
targets = st.sampled_from(["/", "/a", "/a/b", "/other", "/b"])
matches = st.builds(
    RouteMatch,
    paths=st.lists(st.builds(PathMatch, st.sampled_from(["exact", "prefix", "regex"]), targets), max_size=2).map(tuple),
    headers=st.lists(st.builds(HeaderMatch, names, st.none() | st.just("x")), max_size=1).map(tuple),
)
substitutions = st.sampled_from(["/v/\\1", "/v//\\1", "/%\\1", "/..%2f\\1", "/v?x=\\1"])
rewrites = (
    st.none()
    | st.builds(PrefixRewrite, targets | st.sampled_from(["/v//", "/%61", "/a/.."]))
    | st.builds(RegexRewrite, st.just("^/(.*)"), substitutions)
)
actions: st.SearchStrategy[Any] = (
    st.builds(
        Forward,
        st.lists(st.builds(WeightedUpstream, st.sampled_from(["hf", "svc"]), st.integers(0, 2)), max_size=2).map(tuple),
        rewrites,
        st.none() | st.just("h.example"),
        st.booleans(),
    )
    | st.builds(Redirect, st.just(302), st.none() | st.just("h"), st.none() | targets)
    | st.just(DirectResponse(200, "direct"))
    | st.just(Refuse(500, "invalid"))
)
values = st.sampled_from([b"", b"x", b"wrong", b"Bearer wrong", b"Basic YTpi", b"\xff", TOKEN.encode()])


def routes(auth: st.SearchStrategy[str | None]) -> st.SearchStrategy[list[Route]]:
    one = st.builds(
        Route,
        name=st.sampled_from(["r1", "r2"]),
        action=actions,
        matches=st.lists(matches, max_size=2).map(tuple),
        auth=auth,
        transformations=st.lists(st.sampled_from(["t1", "t2", "t3"]), max_size=3).map(tuple),
    )
    return st.lists(one, min_size=1, max_size=3)


requests = st.builds(
    lambda method, path, query, headers, body: Request(method, path, query, b"gw.example", headers, has_body=body),
    st.sampled_from([b"GET", b"POST", b"OPTIONS"]),
    (targets | st.sampled_from(["//a", "/%61/b", "/a/../b", "/a%2fb", "/a/..%2fb", "/{a}"])).map(str.encode),
    st.none() | st.just(b"q=1"),
    st.lists(st.tuples(st.sampled_from(NAMES[:5]).map(str.encode), values), max_size=5),
    st.booleans(),
)
bodies = st.sampled_from([b"", b"{}", b'{"a": 1}', b'{"a": {"b": "x"}}', b"[1]", b"text", b"\xff"])
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(served: Any, arrived: Request, body: bytes) -> Talk:
    said = Talk(served, arrived, pick=lambda total: total - 1)
    for _ in range(2):
        if isinstance(said.step, NeedBody):
            said.body(body)
    assert not isinstance(said.step, NeedBody)
    return said


def assert_sendable(headers: Any) -> None:
    for name, value in headers:
        assert name
        assert not {b"\r"[0], b"\n"[0], 0} & {*name, *value}


def served_config(routes_: list[Route], transformations: list[TransformationPlan], auth: Any) -> Any:
    unique = {plan.name: plan for plan in transformations}
    return config(
        *routes_,
        transformations=tuple(unique.values()),
        auth_plans=(auth,),
        upstreams=(UPSTREAM, Upstream("svc", (Endpoint("svc", 80),), send_user_id=True)),
        credentials=(credential(expires_at=int(NOW) + 1), credential(b"bound", allowed_hosts=("elsewhere",))),
    )


@pytest.mark.no_cover
@FUZZ
@given(
    routes_=routes(st.sampled_from([None, "plan", "nobody"])),
    transformations=st.lists(plans, max_size=3),
    auth=auths,
    arrived=requests,
    body=bodies,
    with_key=st.booleans(),
)
def test_any_request_is_answered_or_forwarded_whole(
    routes_: list[Route],
    transformations: list[TransformationPlan],
    auth: Any,
    arrived: Request,
    body: bytes,
    *,
    with_key: bool,
) -> None:
    if with_key:
        arrived.headers.append((b"api-key", KEY))
    written = read_target(arrived.path, method=arrived.method)
    assume(written is not None)
    assert written is not None
    arrived.path = written.path
    said = play(served_config(routes_, transformations, auth), arrived, body)
    if isinstance(said.step, Outgoing):
        assert_sendable(said.step.headers)
        path = said.step.target.partition(b"?")[0]
        assert path == b"*" or (path.startswith(b"/") and path == normalise(path))
        assert not {*said.step.target} & {*range(0x21), 0x7F}
        back = said.exchange.finish_response(Incoming(200, [(b"content-type", b"text/plain")], body))
        assert_sendable(back.headers)
        assert 200 <= back.status < 600
    last = said.exchange.local_reply(REFUSALS[ReplyReason.UPSTREAM_BROKEN])
    assert_sendable(last.headers)
    assert 200 <= last.status < 600


@pytest.mark.no_cover
@FUZZ
@given(routes(st.just("plan")), st.lists(plans, max_size=3), auths, requests, bodies)
def test_no_request_without_a_key_passes_a_guarded_route(
    routes_: list[Route], transformations: list[TransformationPlan], auth: Any, arrived: Request, body: bytes
) -> None:
    said = play(served_config(routes_, transformations, auth), arrived, body)
    assert isinstance(said.step, Reply)
    assert said.step.reason != "direct_response"
    assert said.exchange.credentials_used == ()


@pytest.mark.no_cover
@FUZZ
@given(requests, auths)
def test_no_key_and_no_spoofed_header_leaves_a_guarded_route(arrived: Request, auth: Any) -> None:
    arrived.headers += [(b"api-key", KEY), (b"x-user-id", b"spoofed")]
    plan = auth_plan(*auth.steps, expression=auth.expression)
    said = Talk(config(Route("r", Forward((WeightedUpstream("hf", 1),)), auth="plan"), auth_plans=(plan,)), arrived)
    if isinstance(said.step, Outgoing):
        assert all(KEY not in value and b"spoofed" not in value for _, value in said.step.headers)
