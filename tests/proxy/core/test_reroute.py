"""recalculateRoutingDestination: a request that a transformation sends to another route (2.5 of the spec)."""

from __future__ import annotations

from typing import Any

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
from tests.proxy.core.test_transformation import message
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


def test_move_ends_its_phase() -> None:
    said = moved("pre", source("mark-pre", "mark-post"), target("mark-pre"), headers=(GOOD,))
    assert {"mark-pre", "mark-post"}.isdisjoint(said.sent)
    said = moved("pre", source("mark-pre"), target("mark-post"), headers=(GOOD,))
    assert "mark-post" in said.sent


def test_move_that_stays_goes_on_in_its_phase() -> None:
    said = moved("post", source("mark-post"), headers=(GOOD,))
    assert "mark-post" in said.sent
    assert said.sent["moved"] == "1"


def test_response_passes_the_phases_that_saw_the_request() -> None:
    said = moved("pre", source("mark-post"), target("mark-pre", "mark-post"), headers=(GOOD,))
    back = as_dict(said.exchange.finish_response(Incoming(200, [])).headers)
    assert back == {"back": "post", "moved-back": "1"}


def test_bound_token_is_checked_on_the_final_route() -> None:
    to_hf = (credential(allowed_hosts=("hf.example",)),)
    reply = moved("post", source(), target(), headers=(GOOD,), credentials=to_hf).reply
    assert reply.reason == "token_bound_elsewhere"
    said = moved(
        "post",
        Route("a", forward("other"), auth="plan", transformations=("t",)),
        target(action=forward("hf")),
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
