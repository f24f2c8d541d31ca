"""Tokens of the platform's on a tenant's routes: they leave only where their owner meant them to (invariant 11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    TOKEN,
    UPSTREAM,
    Talk,
    auth_plan,
    config,
    credential,
    forward,
    key_step,
    post_plan,
    request,
)
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import (
    AuthPlan,
    Credential,
    DirectResponse,
    Endpoint,
    MetadataHeader,
    PathMatch,
    Redirect,
    Route,
    RouteMatch,
    Upstream,
)

OWN = Upstream("own", (Endpoint("evil.example", 443),), bound_hosts=("evil.example",))
TO_HF = forward("hf", auto_host_rewrite=True)
TENANTS_PLAN = auth_plan(owner="evil")


def leaving(
    token: Credential, *, owner: str = "evil", plan: AuthPlan | None = None, action: Any = None, **changes: Any
) -> Talk:
    """A request on a route to the tenant's own server, with a key of the platform's unless told otherwise."""
    served = config(
        Route("r", action or forward("own"), auth="plan", owner=owner, **changes),
        auth_plans=(plan or auth_plan(),),
        credentials=(token,),
        upstreams=(OWN, UPSTREAM),
    )
    return Talk(served, request("POST", "/evil?q", ("api-key", KEY)))


def outcome(said: Talk) -> tuple[int, str]:
    return said.reply.status, said.reply.reason


def test_platforms_token_leaves_no_tenants_route_unless_it_is_bound_or_shared() -> None:
    assert (403, "token_not_shared") == outcome(leaving(credential()))
    assert (403, "token_not_shared") == outcome(leaving(credential(shared_with=("apps",))))
    assert TOKEN == leaving(credential(shared_with=("apps", "evil"))).sent["x-api-key"]
    bound = credential(allowed_hosts=("hf.example",))
    assert (403, "token_bound_elsewhere") == outcome(leaving(bound))
    assert TOKEN == leaving(bound, action=TO_HF).sent["x-api-key"]


def test_shared_token_that_is_bound_goes_to_its_hosts_only() -> None:
    token = credential(shared_with=("evil",), allowed_hosts=("hf.example",))
    assert (403, "token_bound_elsewhere") == outcome(leaving(token))
    assert TOKEN == leaving(token, action=TO_HF).sent["x-api-key"]


def test_platforms_routes_and_shared_tenancy_ask_for_no_sharing() -> None:
    assert TOKEN == leaving(credential(), owner="").sent["x-api-key"]


def test_tenants_own_token_leaves_its_routes() -> None:
    own = credential(namespace="evil")
    assert TOKEN == leaving(own, plan=TENANTS_PLAN).sent["x-api-key"]


def test_key_without_a_token_opens_a_tenants_route() -> None:
    assert "x-api-key" not in leaving(credential(metadata={})).sent
    unused = leaving(credential(metadata={"note": "n"}))
    assert "x-api-key" not in unused.sent


def test_redirect_of_a_tenants_route_takes_no_token_along() -> None:
    token = credential(shared_with=("evil",))
    assert (403, "token_not_shared") == outcome(leaving(token, action=Redirect(302, host="evil.example")))
    assert 302 == leaving(credential(metadata={}), action=Redirect(302, host="evil.example")).reply.status
    assert 200 == leaving(token, action=DirectResponse(200, "pong")).reply.status


@pytest.mark.parametrize(("header", "goes"), [("authorization", True), ("x-request-id", False), ("origin", False)])
def test_tenants_policy_puts_a_shared_token_into_credential_headers_only(header: str, *, goes: bool) -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader(header, "token"),)), owner="evil")
    said = leaving(credential(shared_with=("evil",)), plan=plan)
    assert goes == (not hasattr(said.step, "reason"))
    assert TOKEN == leaving(credential(namespace="evil"), plan=plan).sent[header]


def test_token_is_judged_on_the_route_that_the_request_leaves_by() -> None:
    """The platform's own transformation moves a request on to a tenant's route."""
    mover = post_plan(request=message((":path", "/b")), recalculate=True)
    to_b = RouteMatch(paths=(PathMatch("prefix", "/b"),))
    for shared, reason in ((("apps",), "token_not_shared"), (("apps", "evil"), "")):
        served = config(
            Route("b", forward("own"), matches=(to_b,), auth="plan", owner="evil"),
            Route("a", forward("hf"), auth="plan", owner="apps", transformations=("t",)),
            auth_plans=(auth_plan(),),
            credentials=(credential(shared_with=shared),),
            transformations=(mover,),
            upstreams=(OWN, UPSTREAM),
        )
        assert reason == Talk(served, request("GET", "/a", ("api-key", KEY))).exchange.facts.reason
