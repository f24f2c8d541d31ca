"""A tenant's matchers tell nothing of keys that are not for the tenant: each request would give some bits away."""

from __future__ import annotations

from tests.proxy.core.conversation import KEY, Talk, auth_plan, config, credential, forward, key_step, request
from wardgate.ir import AuthPlan, HeaderMatch, PathMatch, Route, RouteMatch

MINE = PathMatch("prefix", "/mine")
PLATFORMS, TENANTS = auth_plan(), auth_plan(name="tenants", owner="evil")


def taken(*conditions: HeaderMatch, auth: AuthPlan | None, others: AuthPlan | None = None, **sent: str) -> bool:
    """Whether a tenant's route with these conditions takes a request rather than the tenant's route without any."""
    name = None if auth is None else auth.name
    routes = [
        Route("curious", forward(), matches=(RouteMatch(paths=(MINE,), headers=conditions),), auth=name, owner="evil"),
        Route("plain", forward(), matches=(RouteMatch(paths=(MINE,)),), auth=name, owner="evil"),
    ]
    if others is not None:
        routes.append(Route("theirs", forward(), auth=others.name))
    plans = tuple(plan for plan in (auth, others) if plan is not None)
    served = config(*routes, auth_plans=plans, credentials=(credential(shared_with=("evil",)),))
    headers = ((name.replace("_", "-"), value) for name, value in {"api_key": KEY.decode(), **sent}.items())
    return Talk(served, request("GET", "/mine", *headers)).exchange.facts.route == "curious"


GUESS = HeaderMatch("api-key", "c.*", regex=True)


def test_key_under_a_platforms_policy_is_absent() -> None:
    assert not taken(GUESS, auth=PLATFORMS)
    assert not taken(HeaderMatch("API_Key"), auth=PLATFORMS)
    assert taken(HeaderMatch("api-key", invert=True), auth=PLATFORMS)
    assert taken(HeaderMatch("api-key", KEY.decode(), invert=True), auth=PLATFORMS)


def test_copies_of_the_key_under_a_platforms_policy_are_absent() -> None:
    assert not taken(HeaderMatch("authorization"), auth=PLATFORMS, authorization="Bearer " + KEY.decode())
    assert not taken(HeaderMatch("cookie", ".*", regex=True), auth=PLATFORMS, cookie="k=" + KEY.decode())


def test_header_with_keys_for_others_is_absent() -> None:
    assert not taken(GUESS, auth=None, others=PLATFORMS)
    assert not taken(GUESS, auth=TENANTS, others=PLATFORMS)


def test_tenants_matchers_see_all_other_headers() -> None:
    assert taken(HeaderMatch("x-app", "a"), auth=PLATFORMS, x_app="a")
    assert taken(GUESS, auth=TENANTS)
    assert taken(
        HeaderMatch("authorization"), auth=TENANTS, others=auth_plan(key_step(header="x-key")), authorization="b"
    )


def test_platforms_matchers_see_every_header() -> None:
    match = RouteMatch(headers=(GUESS,))
    served = config(Route("r", forward(), matches=(match,), auth="plan"), Route("other", forward(), owner="evil"))
    assert "r" == Talk(served, request("GET", "/", ("api-key", KEY))).exchange.facts.route
