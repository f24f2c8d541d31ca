"""Between tenants, what one took first stays its own: neither weight nor a more specific pattern takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from typing import Literal as Kind

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.cluster import Cluster
from tests.translate.tenants import (
    ANY_HOST,
    ISOLATED,
    Manifest,
    actions,
    delegated,
    gateway,
    invalid,
    order,
    prefix,
    regex,
    route,
    routes,
    status,
    table,
    translated,
)
from wardgate.api import Approval
from wardgate.ir import DirectResponse, PathMatch, Refuse, RouteMatch
from wardgate.problems import ObjectRef
from wardgate.translate import translate
from wardgate.translate.findings import Findings
from wardgate.translate.matching.path_literals import PathLiteral, literal_of
from wardgate.translate.routes import delegation
from wardgate.translate.routes.delegation_context import Claim
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.owner_precedence import by_precedence

_BOTH = ({"namespace": "a"}, {"namespace": "b"})
_BEYOND = Refuse(500, "matcher_beyond_delegation")


def _shared(**delegate: Any) -> Manifest:
    return table("infra/root", route("all", prefix("/"), to=delegated(*_BOTH, **delegate)), **ANY_HOST)


def _exact(path: str) -> Manifest:
    return {"uri": {"exact": path}}


def test_weight_takes_no_path_of_another_tenant() -> None:
    older, younger = table("a/t", route("a", prefix("/app")), age=9), table("b/t", route("b", prefix("/app")), weight=7)
    assert "a/t/a" == order(translated(_shared(), older, younger))[0]


@pytest.mark.parametrize("matcher", [regex("/app/.*"), regex("/app/admin.*"), _exact("/app/x"), prefix("/app/x")])
def test_more_specific_pattern_takes_no_path_of_another_tenant(matcher: Manifest) -> None:
    older, younger = table("a/t", route("a", prefix("/app")), age=9), table("b/t", route("b", matcher))
    translation = translated(_shared(sortMethod="ROUTE_SPECIFICITY"), older, younger)
    assert ["a/t/a", "b/t/b"] == order(translation)
    assert Approval.WARNING is status(translation, "b/t").approval
    assert Approval.ACCEPTED is status(translation, "a/t").approval


def test_wider_path_of_an_older_tenant_leaves_a_younger_one_nothing_within() -> None:
    older, younger = table("a/t", route("a", prefix("/app")), age=9), table("b/t", route("b", _exact("/app/x")))
    assert ["a/t/a", "b/t/b"] == order(translated(_shared(), older, younger))


def test_wide_path_of_a_younger_tenant_goes_last() -> None:
    older, younger = table("a/t", route("a", prefix("/app")), age=9), table("b/t", route("b", prefix("/")), weight=7)
    assert ["a/t/a", "b/t/b"] == order(translated(_shared(), older, younger))


def test_paths_that_do_not_meet_keep_the_order_that_was_asked_for() -> None:
    older, younger = table("a/t", route("a", prefix("/app")), age=9), table("b/t", route("b", prefix("/bus")), weight=7)
    translation = translated(_shared(), older, younger)
    assert ["b/t/b", "a/t/a"] == order(translation)
    assert Approval.ACCEPTED is status(translation, "b/t").approval


def test_tenant_orders_its_own_tables_beside_another_ones() -> None:
    mine = table("a/old", route("wide", prefix("/a")), age=9), table("a/new", route("deep", prefix("/a/x")), weight=5)
    other = table("b/t", route("b", prefix("/b")), age=5)
    assert ["a/new/deep", "a/old/wide", "b/t/b"] == order(translated(_shared(), *mine, other))


def test_only_the_matcher_that_meets_another_tenants_goes_behind() -> None:
    older = table("a/t", route("a", prefix("/app")), age=9)
    younger = table("b/t", route("b", prefix("/bus"), prefix("/app/x")), weight=7)
    assert ["b/t/b", "a/t/a", "b/t/b"] == [
        one.partition("#")[0] for one in order(translated(_shared(), older, younger))
    ]


def test_platform_goes_before_tenants_whatever_their_age_and_weight() -> None:
    root = table("infra/root", route("all", to=delegated(*_BOTH, {"namespace": "infra", "name": "p"})), **ANY_HOST)
    tenants = table("a/t", route("a", _exact("/admin/x")), age=50, weight=9)
    assert "infra/p/p" == order(translated(root, tenants, table("infra/p", route("p", prefix("/admin")))))[0]


def test_fallback_of_the_platform_goes_last_where_it_asks_for_specificity() -> None:
    to = delegated(*_BOTH, {"namespace": "infra", "name": "p"}, sortMethod="ROUTE_SPECIFICITY")
    root = table("infra/root", route("all", to=to), **ANY_HOST)
    tenants, own = table("a/t", route("a", prefix("/a"))), table("infra/p", route("p", prefix("/")), age=50)
    assert ["a/t/a", "infra/p/p"] == order(translated(root, tenants, own))


def test_what_the_platform_gave_more_narrowly_goes_first() -> None:
    inner = table(
        "infra/p",
        route("to-b", prefix("/team-b"), to=delegated({"namespace": "b"})),
        route("to-a", prefix("/"), to=delegated({"namespace": "a"})),
    )
    to = delegated({"namespace": "infra", "name": "p"}, sortMethod="ROUTE_SPECIFICITY")
    root = table("infra/root", route("all", to=to), **ANY_HOST)
    older, younger = table("a/t", route("a", _exact("/team-b/x")), age=9), table("b/t", route("b", prefix("/team-b")))
    assert ["b/t/b", "a/t/a"] == order(translated(root, inner, older, younger))


def test_platform_table_does_not_lend_a_tenant_its_rank() -> None:
    """A tenant reaches for another's path by delegating it to a platform table that lets the tenant in."""
    admits = {"annotations": {"wardgate.dev/delegate-from": "b"}}
    open_to_b = table("infra/p", route("p"), metadata=admits)
    thief = table("b/t", route("b", prefix("/app/x"), to=delegated({"namespace": "infra", "name": "p"})), weight=9)
    translation = translated(_shared(), table("a/t", route("a", prefix("/app")), age=9), thief, open_to_b)
    assert ["a/t/a", "infra/p/p"] == order(translation)


@pytest.mark.parametrize("matcher", [prefix("/"), prefix("/b"), regex(".*"), regex("/a.*|/b"), regex("(?i)/a/x")])
def test_matcher_beyond_the_delegation_is_closed(matcher: Manifest) -> None:
    root = table("infra/root", route("to-a", prefix("/a/"), to=delegated({"namespace": "a"})), **ANY_HOST)
    translation = translated(root, table("a/t", route("wide", matcher), route("own", prefix("/a/own"))))
    assert {"a/t"} == invalid(translation)
    closed = {} if matcher == prefix("/b") else {"a/t/wide": _BEYOND}
    assert {**closed, "a/t/own": DirectResponse(200)} == actions(translation)


@pytest.mark.parametrize("matcher", [prefix("/a/x"), _exact("/a/"), regex("/a/[0-9]+"), {"headers": [{"name": "x"}]}])
def test_matcher_within_the_delegation_is_served(matcher: Manifest) -> None:
    root = table("infra/root", route("to-a", prefix("/a/"), to=delegated({"namespace": "a"})), **ANY_HOST)
    translation = translated(root, table("a/t", route("own", matcher)))
    assert set() == invalid(translation)
    assert {"a/t/own": DirectResponse(200)} == actions(translation)


def test_matchers_for_other_ports_do_not_hide_one_beyond_the_delegation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MAX_MATCHES", 3)
    elsewhere = ({**prefix(f"/a/{number}"), "port": 9999} for number in range(3))
    root = table("infra/root", route("to-a", prefix("/a/"), to=delegated({"namespace": "a"})), **ANY_HOST)
    translation = translated(root, table("a/t", route("wide", regex(".*"), *elsewhere)))
    assert {"a/t/wide": _BEYOND} == actions(translation)


def test_matchers_of_one_route_are_closed_one_by_one() -> None:
    root = table("infra/root", route("to-a", prefix("/a/"), to=delegated({"namespace": "a"})), **ANY_HOST)
    translation = translated(root, table("a/t", route("own", prefix("/a/x"), regex(".*"))))
    assert [DirectResponse(200), _BEYOND] == [one.action for one in routes(translation)]
    assert "/a/" in status(translation, "a/t").message


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("/team-a", "/team-a-prod", True),
        ("/team-a/", "/team-a/prod/", True),
        ("/", "/admin", True),
        ("/team-a/", "/team-a-prod/", False),
        ("/team-a-prod", "/team-a", False),
        ("/team-a", "/", False),
    ],
)
@pytest.mark.parametrize("second_is_the_platforms", [False, True])
def test_platform_is_told_whose_prefix_takes_anothers_paths(
    first: str, second: str, *, told: bool, second_is_the_platforms: bool
) -> None:
    later = route("later", prefix(second), to=None if second_is_the_platforms else delegated({"namespace": "b"}))
    root = table("infra/root", route("a", prefix(first), to=delegated({"namespace": "a"})), later, **ANY_HOST)
    translation = translated(root, table("a/t", route("a")), table("b/t", route("b")))
    found = [one.field for one in status(translation, "infra/root").problems]
    assert ([("spec", "http", 1)] if told else []) == found


def test_platform_is_told_nothing_of_two_delegations_to_one_tenant() -> None:
    to = delegated({"namespace": "a"})
    root = table("infra/root", route("a", prefix("/a"), to=to), route("b", prefix("/a/b"), to=to), **ANY_HOST)
    assert () == status(translated(root, table("a/t", route("a"))), "infra/root").problems


def _rooted(where: str, host: str, *given: Manifest, age: int = 0, **spec: Any) -> Manifest:
    return table(where, *given, age=age, **{**ANY_HOST, "hosts": [host], **spec})


_LETS_IN = gateway(*({"host": "*.test", "selector": {"namespace": one}} for one in "ab"))


def test_root_of_a_younger_tenant_goes_behind_whatever_its_weight() -> None:
    older = _rooted("a/t", "x.test", route("a", prefix("/app")), age=9)
    younger = _rooted("b/t", "x.test", route("b", _exact("/app/x")), weight=9)
    translation = translated(_LETS_IN, older, younger)
    assert ["a/t/a", "b/t/b"] == order(translation, "x.test")
    assert Approval.WARNING is status(translation, "b/t").approval


def test_younger_tenants_narrower_host_takes_nothing_from_the_wildcard() -> None:
    older = _rooted("a/t", "*.test", route("a", prefix("/app")), age=9)
    younger = _rooted("b/t", "x.test", route("b", _exact("/app/x")))
    translation = translated(_LETS_IN, older, younger)
    assert ["a/t/a", "b/t/b"] == order(translation, "x.test")
    assert ["a/t/a"] == order(translation, "*.test")


def test_older_tenants_narrower_host_stays_its_own() -> None:
    older = _rooted("a/t", "x.test", route("a", prefix("/app")), age=9)
    translation = translated(_LETS_IN, older, _rooted("b/t", "*.test", route("b")))
    assert ["a/t/a"] == order(translation, "x.test")


def test_host_that_the_platform_gave_by_name_goes_before_a_wildcard() -> None:
    named = gateway(
        {"host": "*.test", "selector": {"namespace": "a"}}, {"host": "x.test", "selector": {"namespace": "b"}}
    )
    older = _rooted("a/t", "*.test", route("a"), age=9)
    assert ["b/t/b"] == order(translated(named, older, _rooted("b/t", "x.test", route("b"))), "x.test")


def test_tenant_that_is_let_in_anywhere_takes_no_host_of_the_platform() -> None:
    anywhere = gateway({"host": "*", "selector": {"namespace": "b"}})
    own = _rooted("infra/root", "*", route("login", prefix("/login")))
    translation = translated(anywhere, own, _rooted("b/t", "www.infra.test", route("b", _exact("/login/x")), age=50))
    assert ["infra/root/login", "b/t/b"] == order(translation, "www.infra.test")


def test_tables_under_hosts_of_others_are_bounded() -> None:
    older = _rooted("a/t", "*.test", route("a"), age=50)
    many = [_rooted(f"b/t{number}", f"x{number}.test", route("b"), age=9 - number) for number in range(3)]
    settings = replace(ISOLATED, guest_tables=2)
    translation = translate(Cluster().apply(_LETS_IN, older, *many).snapshot(), settings)
    assert {"b/t2"} == invalid(translation)
    assert [] == order(translation, "x2.test")


_PATHS = st.sampled_from(["", "/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/B/x", "/c"])
_KINDS: st.SearchStrategy[Kind["exact", "prefix"]] = st.sampled_from(["exact", "prefix"])


@st.composite
def _instances(draw: st.DrawFn) -> RouteInstance:
    owner = draw(st.sampled_from(["", "a", "b", "c"]))
    path = PathMatch(draw(_KINDS), draw(_PATHS))
    claim = Claim(owner, draw(st.integers(0, 2)), (str(draw(st.integers(0, 9))), owner, ""))
    return RouteInstance(
        ObjectRef("RouteTable", owner, "t"), 0, "r", (RouteMatch((path,)),), DirectResponse(200), claim=claim
    )


def _meet(one: PathLiteral, other: PathLiteral) -> bool:
    if one.text == other.text:
        return True
    short, long = sorted((one, other), key=lambda literal: len(literal.text))
    return long.text.startswith(short.text) and not short.exact


@given(st.lists(_instances(), max_size=12))
def test_no_route_stands_before_a_senior_one_of_another_owner_that_it_meets(instances: list[RouteInstance]) -> None:
    found = by_precedence(instances, findings=Findings())
    pieces = [(one.claim, literal_of(RouteMatch(match.paths))) for one in found for match in one.matches]
    for index, (later, literal) in enumerate(pieces):
        for claim, earlier in pieces[:index]:
            if claim.owner != later.owner and _meet(literal, earlier):
                assert (-claim.given, bool(claim.owner), claim.age) <= (-later.given, bool(later.owner), later.age)


@given(st.lists(_instances(), max_size=12), st.sampled_from(["", "a"]))
def test_routes_of_one_owner_keep_their_order(instances: list[RouteInstance], owner: str) -> None:
    own = [one for one in instances if one.claim.owner == owner]
    assert own == by_precedence(own, findings=Findings())
