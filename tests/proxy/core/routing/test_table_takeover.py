"""A table built upon another one serves what one built from nothing would serve."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proxy.core.conversation import (
    KEY,
    UPSTREAM,
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
from tests.wire.histories import histories
from wardgate.inja.limits import DEFAULT_LIMITS
from wardgate.ir import (
    DirectResponse,
    GatewayConfig,
    HeaderTemplate,
    MessageTemplate,
    PathMatch,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    VirtualHost,
)
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.messages import Outgoing, Reply, Step
from wardgate.proxy.core.routing.plans import CompiledRoute, ForwardPlan
from wardgate.proxy.core.routing.route_index import RouteIndex
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.routing.table_builder import TableBuilder, build_table
from wardgate.wire import RoutesDecoder, WireError


def at(path: str) -> tuple[RouteMatch, ...]:
    return (RouteMatch(paths=(PathMatch("exact", path),)),)


def sets(value: str, *, name: str = "t") -> TransformationPlan:
    return post_plan(name=name, request=MessageTemplate(headers=(HeaderTemplate("x-set", value),)))


GUARDED = route(name="guarded", matches=at("/guarded"))
CHANGED = open_route(name="changed", matches=at("/changed"), transformations=("t",))
OTHER = open_route(forward("other"), name="other", matches=at("/other"))
SERVED = config(
    GUARDED,
    CHANGED,
    OTHER,
    transformations=(sets("1"),),
    upstreams=(UPSTREAM, Upstream("other", UPSTREAM.endpoints)),
)


def upon(*configs: GatewayConfig, environment: dict[str, str] | None = None) -> Table:
    """A table built upon a row of others."""
    table = None
    for served in configs:
        table = TableBuilder(served, environment or {}, previous=table).finish()
    assert table is not None
    return table


def ask(table: Table, path: str, *, key: bool = False) -> Step:
    arrived = request("GET", path, *([("api-key", KEY)] if key else []))
    keys = CredentialIndex.of([credential()])
    return Exchange(
        table,
        keys,
        listener=table.listeners[8081],
        request=arrived,
        caller=Caller(),
        now=0.0,
        pick=lambda _: 0,
    ).start()


def status(step: Step) -> int:
    assert isinstance(step, Reply), step
    return step.status


def compiled(table: Table) -> dict[str, CompiledRoute]:
    return {name: one.compiled for host in table.hosts.values() for name, one in host.routes.items()}


def with_routes(*routes: Route) -> GatewayConfig:
    return replace(SERVED, listeners=(replace(SERVED.listeners[0], virtual_hosts=(VirtualHost(("*",), routes),)),))


def test_a_host_of_which_nothing_changed_is_taken_over() -> None:
    before = build_table(SERVED, {})
    after = TableBuilder(replace(SERVED, auth_plans=(*SERVED.auth_plans, auth_plan(name="more"))), {}, previous=before)
    assert list(after.finish().hosts.values()) == list(before.hosts.values())


def test_hosts_are_taken_over_whether_equal_or_the_same_object() -> None:
    before = build_table(SERVED, {})
    copied = with_routes(replace(GUARDED), replace(CHANGED), replace(OTHER))
    assert list(TableBuilder(copied, {}, previous=before).finish().hosts.values()) == list(before.hosts.values())


def test_a_changed_plan_is_asked_by_the_routes_that_use_it_and_the_others_are_taken_over() -> None:
    before = build_table(SERVED, {})
    changed = replace(SERVED, auth_plans=(auth_plan(key_step(header="x-other")),))
    after = TableBuilder(changed, {}, previous=before).finish()
    assert isinstance(ask(before, "/guarded", key=True), Outgoing)
    assert status(ask(after, "/guarded", key=True)) == 401
    assert compiled(after)["guarded"] is not compiled(before)["guarded"]
    assert compiled(after)["changed"] is compiled(before)["changed"]
    assert compiled(after)["other"] is compiled(before)["other"]


def test_a_plan_that_goes_closes_its_routes_and_one_that_comes_back_opens_them() -> None:
    without = replace(SERVED, auth_plans=())
    assert status(ask(upon(SERVED, without), "/guarded", key=True)) == 503
    assert isinstance(ask(upon(SERVED, without, SERVED), "/guarded", key=True), Outgoing)


def test_a_changed_transformation_is_executed() -> None:
    step = ask(upon(SERVED, replace(SERVED, transformations=(sets("2"),))), "/changed")
    assert isinstance(step, Outgoing)
    assert dict(step.headers)[b"x-set"] == b"2"


def test_a_transformation_that_goes_closes_its_routes_and_one_that_comes_back_opens_them() -> None:
    without = replace(SERVED, transformations=())
    assert status(ask(upon(SERVED, without), "/changed")) == 503
    assert isinstance(ask(upon(SERVED, without, SERVED), "/changed"), Outgoing)


def test_a_transformation_that_no_longer_compiles_closes_its_routes() -> None:
    assert status(ask(upon(SERVED, replace(SERVED, transformations=(sets("{{"),))), "/changed")) == 503


def test_a_changed_environment_reaches_the_routes() -> None:
    served = replace(SERVED, transformations=(sets('{{ env("A") }}'),), template_env=("A",))
    before = TableBuilder(served, {"A": "1"}).finish()
    step = ask(TableBuilder(served, {"A": "2"}, previous=before).finish(), "/changed")
    assert isinstance(step, Outgoing)
    assert dict(step.headers)[b"x-set"] == b"2"


def test_a_changed_upstream_is_dialled() -> None:
    moved = Upstream("other", (replace(UPSTREAM.endpoints[0], host="moved.example"),))
    step = ask(upon(SERVED, replace(SERVED, upstreams=(UPSTREAM, moved))), "/other")
    assert isinstance(step, Outgoing)
    assert step.upstream.spec is moved


def test_an_upstream_that_goes_closes_its_routes_and_no_other() -> None:
    table = upon(SERVED, replace(SERVED, upstreams=(UPSTREAM,)))
    assert status(ask(table, "/other")) == 503
    assert isinstance(ask(table, "/changed"), Outgoing)


def test_a_changed_route_is_served_and_those_beside_it_are_taken_over() -> None:
    before = build_table(SERVED, {})
    answers = replace(CHANGED, action=DirectResponse(418))
    after = TableBuilder(with_routes(GUARDED, answers, OTHER), {}, previous=before).finish()
    assert status(ask(after, "/changed")) == 418
    assert compiled(after)["guarded"] is compiled(before)["guarded"]


def test_routes_that_change_places_are_tried_in_their_new_order() -> None:
    first, second = open_route(DirectResponse(200), name="one"), open_route(DirectResponse(201), name="two")
    assert status(ask(upon(with_routes(first, second), with_routes(second, first)), "/")) == 201


def test_a_route_that_goes_is_no_longer_served() -> None:
    assert status(ask(upon(SERVED, with_routes(GUARDED)), "/other")) == 404


def test_other_bounds_on_patterns_compile_every_route_anew() -> None:
    pattern = open_route(name="pattern", matches=(RouteMatch(paths=(PathMatch("regex", "/" + "a" * 20),)),))
    served = with_routes(pattern)
    narrow = replace(served, template_limits=replace(DEFAULT_LIMITS, regex_bytes=8))
    assert isinstance(ask(upon(narrow, served), "/" + "a" * 20), Outgoing)
    assert status(ask(upon(served, narrow), "/" + "a" * 20)) == 503


@pytest.mark.parametrize("changes", [False, True])
def test_a_long_host_is_looked_at_in_slices(*, changes: bool) -> None:
    served = with_routes(*(open_route(name=f"r{number}", matches=at(f"/{number}")) for number in range(100)), GUARDED)
    plan = auth_plan(key_step(header="x-other")) if changes else auth_plan()
    builder = TableBuilder(replace(served, auth_plans=(plan,)), {}, previous=build_table(served, {}))
    steps = 0
    while builder.step():
        steps += 1
    assert (100 if changes else 7) <= steps


def described(table: Table) -> object:
    """All of a table, with names for what it shares."""
    return {
        key: [
            (name, one.spec, *_described(one.compiled, table), *_matchers(host.index)) for name, one in routes.items()
        ]
        for key, host in table.hosts.items()
        for routes in [host.routes]
    }


def _matchers(index: RouteIndex) -> tuple[object, ...]:
    kinds = [index._exact, index._prefixes, {b"": index._rest}]
    return tuple(
        sorted(
            (path, place, match.kind, match.value, len(match.conditions), route.name) for place, match, route in held
        )
        for kind in kinds
        for path, held in kind.items()
    )


def _described(one: CompiledRoute, table: Table) -> tuple[object, ...]:
    """A compiled route, with where in this very table its parts are found."""
    upstreams = one.action.destinations._upstreams if isinstance(one.action, ForwardPlan) else ()
    return (
        one.closed,
        [name for name, (_, plan) in table.auth_plans.items() if plan is not None and plan is one.auth],
        [name for plan in (*one.pre, *one.post) for name, (_, held) in table.transformations.items() if held is plan],
        [name for upstream in upstreams for name, held in table.upstreams.items() if held is upstream],
        one.strip,
        one.recalculates,
        one.bound_hosts,
    )


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
@given(history=histories(), lower=st.booleans())
def test_any_history_builds_the_table_that_one_without_would_be(history: list[bytes], *, lower: bool) -> None:
    decoder, table = RoutesDecoder(), None
    for number, data in enumerate(history):
        try:
            served = decoder.decode(data).config
        except WireError:
            continue
        if lower and number % 2:
            served = replace(served, template_limits=replace(DEFAULT_LIMITS, regex_bytes=3))
        table = TableBuilder(served, {}, previous=table).finish()
        assert described(build_table(served, {})) == described(table)
