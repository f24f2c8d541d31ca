"""How an accepted request leaves: path, host, user id, bound tokens; and the answers that lead elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    NOW,
    TOKEN,
    UPSTREAM,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    forward,
    key_step,
    open_route,
    post_plan,
    request,
    route,
)
from wardgate.ir import (
    DirectResponse,
    Endpoint,
    Forward,
    HeaderTemplate,
    MessageTemplate,
    PathMatch,
    PrefixRewrite,
    Redirect,
    RegexRewrite,
    RouteAction,
    RouteMatch,
    TransformationPlan,
    Upstream,
    WeightedUpstream,
)


def rewritten(match: PathMatch | None, rewrite: PrefixRewrite | RegexRewrite, target: str) -> bytes:
    matches = () if match is None else (RouteMatch(paths=(match,)),)
    return Talk(
        config(open_route(forward(path_rewrite=rewrite), matches=matches)), request("GET", target)
    ).outgoing.target


@pytest.mark.parametrize(
    ("match", "path", "target", "expected"),
    [
        (PathMatch("prefix", "/huggingface"), "/models/gpt2", "/huggingface", b"/models/gpt2"),
        (PathMatch("prefix", "/huggingface"), "/models/gpt2", "/huggingface/x?q=1", b"/models/gpt2/x?q=1"),
        (PathMatch("prefix", "/httpbin"), "/", "/httpbin/get", b"/get"),
        (PathMatch("prefix", "/httpbin"), "/", "/httpbin", b"/"),
        (PathMatch("prefix", "/httpbin"), "/", "/httpbin//evil", b"/evil"),
        (PathMatch("prefix", "/httpbin/"), "/x/", "/httpbin/get", b"/x/get"),
        (PathMatch("prefix", "/a"), "/x", "/ab", b"/xb"),
        (PathMatch("prefix", "/A", ignore_case=True), "/x", "/a/b", b"/x/b"),
        (PathMatch("exact", "/a"), "/x", "/a?q", b"/x?q"),
        (PathMatch("exact", "/A", ignore_case=True), "/x", "/a", b"/x"),
        (PathMatch("regex", "/a.*"), "/x", "/abc", b"/x"),
        (PathMatch("prefix", "/a"), "x", "/a", b"/x"),
        (PathMatch("prefix", "/a"), "", "/a", b"/"),
        (None, "/x", "/a", b"/xa"),
        (PathMatch("prefix", "/a"), "/modèles", "/a/b", b"/mod%C3%A8les/b"),
    ],
)
def test_prefix_rewrite_replaces_what_matched(match: PathMatch | None, path: str, target: str, expected: bytes) -> None:
    assert expected == rewritten(match, PrefixRewrite(path), target)


def test_regex_rewrite_changes_the_path_and_keeps_the_query() -> None:
    rewrite = RegexRewrite("^/v1/(.*)$", "/v2/\\1")
    assert rewritten(None, rewrite, "/v1/models?a=/v1/x") == b"/v2/models?a=/v1/x"


def test_regex_rewrite_to_nothing_leaves_the_root() -> None:
    assert rewritten(None, RegexRewrite("^/.*$", ""), "/v1/models") == b"/"


def test_path_that_is_too_much_work_to_rewrite_is_a_bad_target() -> None:
    served = config(open_route(forward(path_rewrite=RegexRewrite("a.*z|a", "b"))))
    assert Talk(served, request("GET", "/" + "a" * 100)).outgoing.target == b"/" + b"b" * 100
    reply = Talk(served, request("GET", "/" + "a" * 60_000)).reply
    assert (400, "bad_target") == (reply.status, reply.reason)


def test_path_of_options_asterisk_stays() -> None:
    talk = Talk(config(open_route(forward(path_rewrite=PrefixRewrite("/x")))), request("OPTIONS", "*"))
    assert talk.outgoing.target == b"*"


def test_path_that_a_transformation_wrote_goes_on_as_it_is() -> None:
    wrote = TransformationPlan("t", "post", MessageTemplate(headers=(HeaderTemplate(":path", "/other?x=1"),)))
    served = config(
        open_route(
            forward(path_rewrite=PrefixRewrite("/models")),
            matches=(RouteMatch(paths=(PathMatch("prefix", "/hf"),)),),
            transformations=("t",),
        ),
        transformations=(wrote,),
    )
    assert Talk(served, request("GET", "/hf/a?y")).outgoing.target == b"/other?x=1"


def test_host_is_kept_or_rewritten() -> None:
    assert Talk(config(open_route()), request(host="gw.example:8081")).sent["host"] == "gw.example:8081"
    assert Talk(config(open_route(forward(host_rewrite="hf.example"))), request()).sent["host"] == "hf.example"


def test_host_stands_first() -> None:
    assert Talk(config(open_route()), request("GET", "/", ("a", "b"))).outgoing.headers[0][0] == b"host"


@pytest.mark.parametrize("automatic", [True, False])
def test_host_of_the_endpoint_is_left_to_the_io(*, automatic: bool) -> None:
    assert automatic is Talk(config(open_route(forward(auto_host_rewrite=automatic))), request()).outgoing.auto_host


def test_body_is_streamed_past() -> None:
    assert Talk(config(route()), request("POST", "/", ("api-key", KEY), body=True)).outgoing.body is None


# -- user id


@pytest.mark.parametrize(("sends", "expected"), [(True, "hf-key"), (False, None)])
def test_user_id_goes_only_where_it_may(*, sends: bool, expected: str | None) -> None:
    served = config(route(), upstreams=(Upstream("hf", (Endpoint("svc", 80),), send_user_id=sends),))
    talk = Talk(served, request("GET", "/", ("x-user-id", "root"), ("api-key", KEY)))
    assert expected == talk.sent.get("x-user-id")


def test_open_route_sends_no_user_id() -> None:
    served = config(open_route(), upstreams=(Upstream("hf", (Endpoint("svc", 80),), send_user_id=True),))
    assert "x-user-id" not in Talk(served, request("GET", "/", ("x-user-id", "root"))).sent


def test_last_steps_user_is_sent() -> None:
    steps = (key_step(name="a"), key_step(name="b", header="other"))
    served = config(
        route(),
        auth_plans=(auth_plan(*steps),),
        upstreams=(Upstream("hf", (Endpoint("svc", 80),), send_user_id=True),),
        credentials=(credential(), credential(b"k2", name="second")),
    )
    assert Talk(served, request("GET", "/", ("api-key", KEY), ("other", "k2"))).sent["x-user-id"] == "second"


# -- invariant 11


def up(name: str, *hosts: str) -> Upstream:
    return Upstream(name, (Endpoint(name, 443),), bound_hosts=hosts or None)


def bound(action: RouteAction, *upstreams: Upstream, host: str = "gw.example") -> Talk:
    served = config(route(action), upstreams=upstreams, credentials=(credential(allowed_hosts=("hf.example", "b")),))
    return Talk(served, request("GET", "/", ("api-key", KEY), host=host), now=NOW)


def test_bound_token_goes_to_its_hosts() -> None:
    assert bound(forward("hf", auto_host_rewrite=True), UPSTREAM).sent["x-api-key"] == TOKEN
    both = forward("hf", "b", auto_host_rewrite=True)
    assert bound(both, UPSTREAM, up("b", "b")).sent["x-api-key"] == TOKEN


@pytest.mark.parametrize("host", ["hf.example", "HF.Example", "hf.example:443", "hf.example:8443"])
def test_bound_token_goes_under_the_name_of_its_host(host: str) -> None:
    assert bound(forward("hf", host_rewrite=host), UPSTREAM).sent["x-api-key"] == TOKEN
    assert bound(forward("hf"), UPSTREAM, host=host).sent["x-api-key"] == TOKEN


@pytest.mark.parametrize("host", ["evil.example", "hf.example.evil.example", "x.hf.example", "hf.example.", "hf"])
def test_bound_token_goes_under_no_other_name(host: str) -> None:
    """Behind one edge stand many hosts, and it goes by the name that it is told."""
    for said in (bound(forward("hf", host_rewrite=host), UPSTREAM), bound(forward("hf"), UPSTREAM, host=host)):
        assert (said.reply.status, said.reply.reason) == (403, "token_bound_elsewhere")


@pytest.mark.parametrize("header", ["host", ":authority"])
@pytest.mark.parametrize(("rewritten", "reason"), [({}, "token_bound_elsewhere"), ({"auto_host_rewrite": True}, "")])
def test_name_that_a_transformation_sets_is_judged_at_the_moment_of_leaving(
    header: str, rewritten: dict[str, bool], reason: str
) -> None:
    sets = post_plan(request=MessageTemplate(headers=(HeaderTemplate(header, "evil.example"),)))
    served = config(
        route(forward("hf", **rewritten), transformations=("t",)),
        transformations=(sets,),
        credentials=(credential(allowed_hosts=("hf.example", "b")),),
    )
    talk = Talk(served, request("GET", "/", ("api-key", KEY), host="hf.example"))
    assert reason == talk.exchange.facts.reason


def test_token_that_is_not_bound_goes_under_any_name() -> None:
    served = config(route(forward("hf", host_rewrite="other.example")))
    assert Talk(served, request("GET", "/", ("api-key", KEY))).sent["x-api-key"] == TOKEN


@pytest.mark.parametrize(
    ("action", "upstreams"),
    [
        (forward("evil"), (up("evil", "evil.example"),)),
        (forward("both"), (up("both", "hf.example", "evil.example"),)),
        (forward("unverified"), (up("unverified"),)),
        (forward("nameless"), (Upstream("nameless", (Endpoint("10.0.0.1", 443),), bound_hosts=()),)),
        (forward("hf", "unverified"), (UPSTREAM, up("unverified"))),
        (forward("hf", "evil"), (UPSTREAM, up("evil", "evil.example"))),
        (Forward((WeightedUpstream("hf", 1), WeightedUpstream("evil", 0))), (UPSTREAM, up("evil", "evil.example"))),
        (Forward(()), ()),
        (DirectResponse(200, "hello"), ()),
        (Redirect(302, host="evil.example"), ()),
    ],
)
def test_bound_token_goes_nowhere_else(action: RouteAction, upstreams: tuple[Upstream, ...]) -> None:
    reply = bound(action, *upstreams).reply
    assert (reply.status, reply.reason) == (403, "token_bound_elsewhere")
    assert TOKEN.encode() not in reply.body


def test_token_bound_to_no_host_goes_nowhere() -> None:
    served = config(route(), credentials=(credential(allowed_hosts=()),))
    assert Talk(served, request("GET", "/", ("api-key", KEY))).reply.status == 403


def test_every_token_on_the_request_counts() -> None:
    steps = (key_step(name="a"), key_step(name="b", header="other"))
    keys = (credential(), credential(b"k2", name="second", allowed_hosts=("elsewhere.example",)))
    served = config(route(), auth_plans=(auth_plan(*steps),), credentials=keys)
    assert Talk(served, request("GET", "/", ("api-key", KEY), ("other", "k2"))).reply.status == 403


# -- answers that lead elsewhere


def test_direct_response_is_given_after_authentication() -> None:
    served = config(route(DirectResponse(418, "tea")))
    assert Talk(served, request()).reply.status == 401
    reply = Talk(served, request("GET", "/", ("api-key", KEY))).reply
    assert (reply.status, reply.body, reply.reason) == (418, b"tea", "direct_response")
    assert as_dict(reply.headers) == {"content-type": "text/plain", "wardgate-error-source": "gateway"}


def test_empty_direct_response_has_no_content_type() -> None:
    assert Talk(config(open_route(DirectResponse(204))), request()).reply.headers == ()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, "http://gw.example/a?b"),
        ({"host": "x.example"}, "http://x.example/a?b"),
        ({"path": "/new"}, "http://gw.example/new?b"),
    ],
)
def test_redirect_keeps_what_it_does_not_name(parts: dict[str, Any], expected: str) -> None:
    reply = Talk(config(open_route(Redirect(307, **parts))), request("GET", "/a?b")).reply
    assert (307, {"location": expected}) == (reply.status, as_dict(reply.headers))


def test_redirect_of_a_request_without_host_is_relative() -> None:
    reply = Talk(config(open_route(Redirect(301, path="/b"))), request("GET", "/a?q", host="")).reply
    assert as_dict(reply.headers) == {"location": "/b?q"}


def test_redirect_without_a_query() -> None:
    reply = Talk(config(open_route(Redirect(301))), request("GET", "/a")).reply
    assert as_dict(reply.headers) == {"location": "http://gw.example/a"}
