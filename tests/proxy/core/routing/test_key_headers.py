"""Keys for one owner's routes are not seen on another's: neither by open routes nor by templates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    key_step,
    open_route,
    post_plan,
    request,
    route,
)
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import BasicAuthStep, BoolOr, BoolStep, GatewayConfig, PathMatch, Route, RouteMatch, TransformationPlan
from wardgate.proxy.core.routing.table_builder import TableBuilder, build_table

OTHERS_KEY = b"key-for-another-owner"
PLATFORM = auth_plan(name="platform")
BASIC = auth_plan(BasicAuthStep("basic", "r", "apr1", ()), name="basic")
ODD = auth_plan(key_step(header="content-type"), name="odd")
OWN = auth_plan(key_step(header="own-key", key_set="own"), name="own", owner="a")
COPY = post_plan(
    name="copy",
    phase="pre",
    owner="a",
    request=message(("x-copy", 'copy-{{ header("api-key") }}{{ header("Api_Key") }}')),
)
A_KEY = credential(b"key-of-a", key_set="own", namespace="a", name="a-key")


def at(path: str) -> tuple[RouteMatch, ...]:
    return (RouteMatch(paths=(PathMatch("prefix", path),)),)


def guarded(plan: str, owner: str = "") -> Route:
    return route(name="guarded", auth=plan, matches=at("/guarded"), owner=owner)


def served(*routes: Route, transformations: tuple[TransformationPlan, ...] = (), **changes: Any) -> GatewayConfig:
    plans = (PLATFORM, BASIC, ODD, OWN)
    return config(
        *routes,
        auth_plans=plans,
        credentials=(credential(shared_with=("a",)), A_KEY),
        transformations=transformations,
        **changes,
    )


def sent(*routes: Route, headers: tuple[tuple[str, bytes], ...], path: str = "/a", **changes: Any) -> dict[str, str]:
    return as_dict(Talk(served(*routes, **changes), request("GET", path, *headers)).outgoing.headers)


A_OPEN = open_route(name="a", matches=at("/a"), owner="a")
BOTH = (("api-key", OTHERS_KEY), ("authorization", b"Basic eDp5"), ("x-own", b"1"))


@pytest.mark.parametrize(
    ("plan", "owner", "kept"),
    [
        ("platform", "", {"authorization", "x-own"}),
        ("basic", "", {"api-key", "x-own"}),
        ("platform", "b", {"authorization", "x-own"}),
        ("platform", "a", {"api-key", "authorization", "x-own"}),
    ],
)
def test_tenants_open_route_sees_no_key_for_another_owners_route(plan: str, owner: str, kept: set[str]) -> None:
    assert kept | {"host"} == set(sent(guarded(plan, owner), A_OPEN, headers=BOTH))


def test_key_header_in_another_spelling_is_taken_off_too() -> None:
    assert {"host"} == set(sent(guarded("platform"), A_OPEN, headers=(("api_key", OTHERS_KEY),)))


def test_tenant_takes_no_header_off_the_platforms_routes() -> None:
    platforms = open_route(name="a", matches=at("/a"))
    assert {"host", "api-key"} == set(sent(guarded("platform", "b"), platforms, headers=(("api-key", OTHERS_KEY),)))


def test_tenant_takes_no_ordinary_header_off_another_tenants_requests() -> None:
    ordinary = (("content-type", b"text/plain"),)
    assert {"host", "content-type"} == set(sent(guarded("odd", "b"), A_OPEN, headers=ordinary))
    assert {"host"} == set(sent(guarded("odd", ""), A_OPEN, headers=ordinary))


def test_route_keeps_the_header_that_its_own_policy_reads() -> None:
    mine = route(name="a", auth="own", matches=at("/a"), owner="a")
    talk = Talk(
        served(guarded("platform"), mine), request("GET", "/a", ("own-key", b"key-of-a"), ("api-key", OTHERS_KEY))
    )
    assert "api-key" not in as_dict(talk.outgoing.headers)


def test_tenants_template_reads_no_key_before_authentication() -> None:
    """The platform's policy guards the tenant's route, so the key has to stay until it is checked."""
    mine = route(name="a", auth="platform", matches=at("/a"), owner="a", transformations=("copy",))
    headers = sent(guarded("platform"), mine, headers=(("api-key", KEY),), transformations=(COPY,))
    assert "copy-" == headers["x-copy"]


def test_tenants_template_reads_no_key_that_its_own_policy_might_accept() -> None:
    """It opens the route with a key of its own, beside which the caller's goes to its server."""
    either = auth_plan(
        key_step(name="a", key_set="own"),
        key_step(name="b", key_set="own", header="own-key"),
        name="either",
        owner="a",
        expression=BoolOr((BoolStep("a"), BoolStep("b"))),
    )
    copying = message(("own-key", "key-of-a"), ("x-copy", 'copy-{{ header("api-key") }}'))
    opens = post_plan(name="copy", phase="pre", owner="a", request=copying)
    mine = route(name="a", auth="either", matches=at("/a"), owner="a", transformations=("copy",))
    theirs = config(
        guarded("platform"),
        mine,
        auth_plans=(PLATFORM, either),
        credentials=(A_KEY,),
        transformations=(opens,),
    )
    headers = as_dict(Talk(theirs, request("GET", "/a", ("api-key", OTHERS_KEY))).outgoing.headers)
    assert "copy-" == headers["x-copy"]


def test_platforms_template_reads_the_key_on_a_tenants_route() -> None:
    platforms = post_plan(name="copy", phase="pre", request=message(("x-copy", 'copy-{{ header("api-key") }}')))
    mine = route(name="a", auth="platform", matches=at("/a"), owner="a", transformations=("copy",))
    headers = sent(guarded("platform"), mine, headers=(("api-key", KEY),), transformations=(platforms,))
    assert f"copy-{KEY.decode()}" == headers["x-copy"]


def test_key_that_a_tenants_template_sets_is_the_one_that_counts() -> None:
    sets = post_plan(name="copy", phase="pre", owner="a", request=message(("api-key", KEY.decode())))
    mine = route(name="a", auth="platform", matches=at("/a"), owner="a", transformations=("copy",))
    headers = sent(guarded("platform"), mine, headers=(("api-key", b"wrong"),), transformations=(sets,))
    assert {"host", "x-api-key", "x-user-id"} >= set(headers)


def test_new_guard_reaches_routes_that_did_not_change() -> None:
    before = served(A_OPEN)
    after = served(guarded("platform"), A_OPEN)
    held = build_table(before, {})
    table = TableBuilder(after, {}, previous=held).finish()
    found = table.listeners[8081].find(request("GET", "/a"))
    assert found is not None
    assert b"api-key" in found[1].strip


def test_table_without_tenants_strips_what_it_always_did() -> None:
    found = build_table(served(guarded("platform"), open_route(name="a", matches=at("/a"))), {}).listeners[8081]
    match = found.find(request("GET", "/a"))
    assert match is not None
    assert frozenset({b"x-user-id"}) == match[1].strip


def test_tenants_template_reads_no_variable_of_the_proxy() -> None:
    shown = message(("x-env", '{{ env("TOKEN") }}'))
    for owner, expected in (("a", None), ("", "secret")):
        plan = post_plan(name="env", owner=owner, request=shown)
        mine = open_route(name="a", matches=at("/a"), owner=owner, transformations=("env",))
        talk = Talk(
            served(mine, transformations=(plan,), template_env=("TOKEN",)),
            request("GET", "/a"),
            environment={"TOKEN": "secret"},
        )
        assert expected == as_dict(talk.outgoing.headers).get("x-env")


@pytest.mark.parametrize(("namespace", "forwarded"), [("a", True), ("infra", False)])
def test_tenants_policy_forwards_no_key_that_is_only_shared_with_it(namespace: str, *, forwarded: bool) -> None:
    key = credential(namespace=namespace, shared_with=("a",))
    plan = auth_plan(name="plan", owner="a", forward_credential=True)
    tenants = config(route(owner="a"), auth_plans=(plan,), credentials=(key,))
    talk = Talk(tenants, request("GET", "/", ("api-key", KEY), ("x-again", KEY)))
    assert forwarded == (KEY.decode() in as_dict(talk.outgoing.headers).values())
