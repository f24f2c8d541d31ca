"""recalculateRoutingDestination: a request that a transformation sends to another route."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
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
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import (
    AppendedHeader,
    Credential,
    DirectResponse,
    Endpoint,
    MetadataHeader,
    PathMatch,
    Refuse,
    Route,
    RouteMatch,
    Upstream,
)
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS

TO_B = RouteMatch(paths=(PathMatch("prefix", "/b"),))
OTHER = Upstream("other", (Endpoint("other.example", 443),), send_user_id=True)
PLAIN = auth_plan()
STRICT = auth_plan(
    key_step(header="other-key", key_set="strict", metadata_headers=(MetadataHeader("x-strict", "token"),)),
    name="strict",
)


def moved(
    phase: str, source: Route, *targets: Route, headers: tuple[tuple[str, bytes], ...] = (), **changes: Any
) -> Talk:
    """Send a request for ``/a``, which the transformation ``t`` of that phase moves to ``/b/x``."""
    mover = post_plan(
        phase=phase,
        request=message((":path", "/b/x"), append=(AppendedHeader("moved", "1"),)),
        response=message(append=(AppendedHeader("moved-back", "1"),)),
        recalculate=True,
    )
    marks = [
        post_plan(
            name=f"mark-{each}", phase=each, request=message((f"mark-{each}", "1")), response=message(("back", each))
        )
        for each in ("pre", "post")
    ]
    held: tuple[Credential, ...] = (
        credential(),
        credential(b"strict-key", name="s", key_set="strict", metadata={"token": "st"}),
    )
    fields: dict[str, Any] = {
        "transformations": (mover, *marks),
        "auth_plans": (PLAIN, STRICT),
        "upstreams": (UPSTREAM, OTHER),
        "credentials": held,
    }
    return Talk(config(*targets, source, **(fields | changes)), request("GET", "/a", *headers))


def source(*extra: str, auth: str | None = "plan") -> Route:
    return Route("a", forward("hf"), auth=auth, transformations=("t", *extra))


def target(*plans: str, auth: str | None = "plan", action: Any = None) -> Route:
    return Route("b", action or forward("other"), matches=(TO_B,), auth=auth, transformations=plans)


GOOD = ("api-key", KEY)


def test_moved_request_takes_the_new_routes_destination() -> None:
    said = moved("post", source(), target(), headers=(GOOD,))
    assert (said.outgoing.upstream.name, said.outgoing.target, said.exchange.facts.route) == ("other", b"/b/x", "b")
    assert said.sent["x-api-key"] == TOKEN


def test_moved_request_has_the_user_id_that_the_new_destination_may_see() -> None:
    assert moved("post", source(), target(), headers=(GOOD,)).sent["x-user-id"] == "hf-key"
    from_other = Route("a", forward("other"), auth="plan", transformations=("t",))
    assert moved("post", from_other, headers=(GOOD,)).sent["x-user-id"] == "hf-key"
    assert "x-user-id" not in moved("post", from_other, target(action=forward("hf")), headers=(GOOD,)).sent


def test_path_without_recalculation_keeps_the_route() -> None:
    mover = post_plan(request=message((":path", "/b/x")))
    served = config(source(), target(auth=None), transformations=(mover,), upstreams=(UPSTREAM, OTHER))
    said = Talk(served, request("GET", "/a", GOOD))
    assert (said.outgoing.upstream.name, said.outgoing.target) == ("hf", b"/b/x")


def test_preauthz_move_is_authenticated_by_the_new_route() -> None:
    assert moved("pre", source(), target(auth="strict"), headers=(GOOD,)).reply.reason == "key_missing"
    said = moved("pre", source(), target(auth="strict"), headers=(("other-key", b"strict-key"),))
    assert said.sent["x-strict"] == "st"


def test_preauthz_move_strips_what_the_new_routes_policy_sets() -> None:
    said = moved(
        "pre",
        source(auth=None),
        target(auth="strict"),
        headers=(("other-key", b"strict-key"), ("x-strict", b"spoofed")),
        credentials=(credential(b"strict-key", key_set="strict", metadata={}),),
    )
    assert "x-strict" not in said.sent


def test_postauthz_move_past_another_policy_is_refused() -> None:
    for other in ("strict", None):
        reply = moved("post", source(), target(auth=other), headers=(GOOD,)).reply
        assert (reply.status, reply.reason) == (403, "rerouted_past_auth")


def test_postauthz_move_from_an_open_route_to_a_guarded_one_is_refused() -> None:
    assert moved("post", source(auth=None), target(), headers=(GOOD,)).reply.reason == "rerouted_past_auth"


def test_move_between_open_routes_is_fine() -> None:
    assert moved("post", source(auth=None), target(auth=None)).outgoing.upstream.name == "other"


def test_move_to_no_route_is_answered_404() -> None:
    a = Route("a", forward("hf"), matches=(RouteMatch(paths=(PathMatch("exact", "/a"),)),), transformations=("t",))
    for phase in ("pre", "post"):
        assert moved(phase, a).reply.reason == "no_route"


def test_move_to_a_closed_route_answers_as_that_route() -> None:
    for phase in ("pre", "post"):
        reply = moved(phase, source(), target(action=Refuse(500, "invalid")), headers=(GOOD,)).reply
        assert (reply.status, reply.reason) == (500, "invalid")


def test_move_to_a_direct_response() -> None:
    assert moved("post", source(), target(action=DirectResponse(200, "b")), headers=(GOOD,)).reply.status == 200


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_moved_request_passes_no_further_plan_of_the_first_route(phase: str) -> None:
    said = moved(phase, source("mark-pre", "mark-post"), target(), headers=(GOOD,))
    ran_before = {"mark-pre"} if phase == "post" else set()
    assert ran_before == {"mark-pre", "mark-post"} & set(said.sent)


@pytest.mark.parametrize(("phase", "passed"), [("pre", {"mark-pre", "mark-post"}), ("post", {"mark-post"})])
def test_moved_request_passes_the_new_routes_plans_from_its_phase_on(phase: str, passed: set[str]) -> None:
    said = moved(phase, source(), target("mark-pre", "mark-post"), headers=(GOOD,))
    assert passed == {"mark-pre", "mark-post"} & set(said.sent)


def test_plan_of_both_routes_runs_once() -> None:
    for phase in ("pre", "post"):
        assert "1" == moved(phase, source(), target("t"), headers=(GOOD,)).sent["moved"]


def test_moves_in_a_circle_end() -> None:
    back = post_plan(name="back", request=message((":path", "/a")), recalculate=True)
    mover = post_plan(request=message((":path", "/b")), recalculate=True)
    served = config(target("back"), source(), transformations=(mover, back), upstreams=(UPSTREAM, OTHER))
    assert "a" == Talk(served, request("GET", "/a", GOOD)).exchange.facts.route


def test_move_that_stays_goes_on_in_its_phase() -> None:
    said = moved("post", source("mark-post"), headers=(GOOD,))
    assert "mark-post" in said.sent
    assert said.sent["moved"] == "1"


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_response_passes_the_new_routes_plans_and_no_other(phase: str) -> None:
    said = moved(phase, source("mark-post"), target("mark-pre"), headers=(GOOD,))
    assert {"back": "pre"} == as_dict(said.exchange.finish_response(Incoming(200, [])).headers)
    said = moved(phase, source("mark-pre"), target("mark-post"), headers=(GOOD,))
    assert {"back": "post"} == as_dict(said.exchange.finish_response(Incoming(200, [])).headers)
    said = moved(phase, source("mark-pre", "mark-post"), target(), headers=(GOOD,))
    assert {} == as_dict(said.exchange.finish_response(Incoming(200, [])).headers)


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_refusals_after_a_move_pass_the_new_routes_plans_and_no_other(phase: str) -> None:
    unreachable = REFUSALS[ReplyReason.UPSTREAM_UNREACHABLE]
    said = moved(phase, source(), target("mark-post"), headers=(GOOD,))
    assert "post" == as_dict(said.exchange.local_reply(unreachable).headers)["back"]
    said = moved(phase, source("mark-post"), target("mark-pre", action=DirectResponse(200, "b")), headers=(GOOD,))
    assert {"content-type": "text/plain", "back": "pre"} == as_dict(said.reply.headers)
    closed = moved(phase, source("mark-post"), target("mark-pre", action=Refuse(500, "invalid")), headers=(GOOD,))
    assert {"content-type": "application/json", "wardgate-error-source": "gateway"} == as_dict(closed.reply.headers)


def test_refusal_of_a_moved_request_without_a_key_passes_the_new_routes_plans_and_no_other() -> None:
    reply = moved("pre", source("mark-pre"), target("mark-pre", "mark-post", auth="strict"), headers=(GOOD,)).reply
    assert ("key_missing", "pre") == (reply.reason, as_dict(reply.headers)["back"])


def test_refused_move_is_answered_by_the_route_that_the_request_stays_on() -> None:
    reply = moved("post", source(), target("mark-pre", auth=None), headers=(GOOD,)).reply
    assert ("rerouted_past_auth", "1") == (reply.reason, as_dict(reply.headers)["moved-back"])


def owned(mover: str, *, by: str, to: str, phase: str = "post", closed: bool = False) -> Talk:
    """A mover of one owner on a route of another, towards a third one's."""
    plan = post_plan(phase=phase, request=message((":path", "/b/x")), recalculate=True, owner=mover, policy="the mover")
    action = Refuse(500, "invalid") if closed else forward("other")
    there = Route("b", action, matches=(TO_B,), auth="plan", owner=to)
    here = Route("a", forward("hf"), auth="plan", transformations=("t",), owner=by)
    held = (credential(shared_with=("evil", "apps")),)
    served = config(
        there, here, transformations=(plan,), upstreams=(UPSTREAM, OTHER), auth_plans=(PLAIN,), credentials=held
    )
    return Talk(served, request("GET", "/a", GOOD))


@pytest.mark.parametrize("phase", ["pre", "post"])
@pytest.mark.parametrize("victim", ["", "apps"])
def test_tenants_plan_moves_no_request_to_a_route_of_another_owner(phase: str, victim: str) -> None:
    for closed in (False, True):
        said = owned("evil", by="evil", to=victim, phase=phase, closed=closed)
        assert (403, "reroute_not_permitted") == (said.reply.status, said.reply.reason)
        assert ("a", "the mover") == (said.exchange.facts.route, said.exchange.facts.policy)


def test_tenants_plan_moves_requests_between_its_own_routes() -> None:
    assert "other" == owned("evil", by="evil", to="evil").outgoing.upstream.name


def test_platforms_plan_moves_requests_to_any_route() -> None:
    for here, there in (("", "evil"), ("evil", ""), ("evil", "apps")):
        assert "other" == owned("", by=here, to=there).outgoing.upstream.name


def test_moved_request_leaves_the_key_of_the_first_route_behind() -> None:
    both = (GOOD, ("other-key", b"strict-key"))
    assert "api-key" not in moved("pre", source(), target(auth=None), headers=(GOOD,)).sent
    assert "api-key" not in moved("pre", source(), target(auth="strict"), headers=both).sent
    assert TOKEN == moved("pre", source(), target(), headers=(GOOD,)).sent["x-api-key"]


def test_moved_request_keeps_the_key_that_the_first_routes_policy_forwards() -> None:
    plan = auth_plan(forward_credential=True)
    sent = moved("pre", source(), target(auth=None), headers=(GOOD,), auth_plans=(plan,)).sent
    assert KEY.decode() == sent["api-key"]


def test_bound_token_is_checked_on_the_final_route() -> None:
    to_hf = (credential(allowed_hosts=("hf.example",)),)
    reply = moved("post", source(), target(), headers=(GOOD,), credentials=to_hf).reply
    assert reply.reason == "token_bound_elsewhere"
    said = moved(
        "post",
        Route("a", forward("other"), auth="plan", transformations=("t",)),
        target(action=forward("hf", auto_host_rewrite=True)),
        headers=(GOOD,),
        credentials=to_hf,
    )
    assert said.sent["x-api-key"] == TOKEN
    stays = moved(
        "post", Route("a", forward("other"), auth="plan", transformations=("t",)), headers=(GOOD,), credentials=to_hf
    )
    assert stays.reply.reason == "token_bound_elsewhere"


def test_guarded_route_is_not_reached_through_an_open_one() -> None:
    mover = post_plan(phase="pre", request=message((":path", "/b")), recalculate=True)
    served = config(
        open_route(name="a", matches=(RouteMatch(paths=(PathMatch("exact", "/a"),)),), transformations=("t",)),
        route(),
        transformations=(mover,),
    )
    assert Talk(served, request("GET", "/a")).reply.status == 401
