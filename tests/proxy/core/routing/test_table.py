"""What cannot be compiled closes the routes that need it, and no other; what did not change is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    UPSTREAM,
    Talk,
    auth_plan,
    config,
    forward,
    key_step,
    open_route,
    post_plan,
    request,
    route,
)
from wardgate.ir import (
    AppendedHeader,
    BasicAuthStep,
    BoolAnd,
    BoolNot,
    BoolOr,
    BoolStep,
    Extractor,
    GatewayConfig,
    HeaderMatch,
    HeaderTemplate,
    Listener,
    MessageTemplate,
    MetadataHeader,
    PathMatch,
    PrefixRewrite,
    QueryMatch,
    Redirect,
    Refuse,
    RegexRewrite,
    RouteMatch,
    VirtualHost,
)
from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.core.routing.table_builder import TableBuilder, build_table


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind that this version has not heard of."""

    name: str = "x"
    operand: Any = None


def headers(**templates: str) -> MessageTemplate:
    return MessageTemplate(headers=tuple(HeaderTemplate(name, text) for name, text in templates.items()))


BAD_AUTH = [
    (Unknown(),),
    (replace(key_step(), stored=Unknown()),),  # type: ignore[arg-type]
    (key_step(name="a"), key_step(name="a")),
    (key_step(metadata_headers=(MetadataHeader("host", "token"),)),),
    (key_step(metadata_headers=(MetadataHeader(":path", "token"),)),),
    (key_step(metadata_headers=(MetadataHeader("a b", "token"),)),),
    (BasicAuthStep("a", "r", "bcrypt", ()),),  # type: ignore[arg-type]
]
BAD_EXPRESSIONS = [
    BoolStep("nobody"),
    BoolNot(BoolStep("nobody")),
    BoolAnd((BoolStep("config_0"), BoolStep("nobody"))),
    BoolOr((BoolStep("nobody"),)),
    Unknown(),
]
BAD_MESSAGES = [
    headers(a="{{ open"),
    headers(**{"a b": "x"}),
    headers(**{"a\r\nb": "x"}),
    MessageTemplate(remove=("",)),
    MessageTemplate(append=(AppendedHeader("a", "{{ nosuch(1) }}"),)),
    MessageTemplate(extractors=(Extractor("e", "x-a", "("),)),
    MessageTemplate(extractors=(Extractor("e", "x a", ".*"),)),
    MessageTemplate(body_mode="template", body="{% if %}"),
]
CLOSED: list[GatewayConfig] = [
    config(route(auth="nobody")),
    *(config(route(), auth_plans=(auth_plan(*steps),)) for steps in BAD_AUTH),
    *(config(route(), auth_plans=(auth_plan(expression=each),)) for each in BAD_EXPRESSIONS),
    config(route(transformations=("nobody",))),
    *(config(route(transformations=("t",)), transformations=(post_plan(request=each),)) for each in BAD_MESSAGES),
    config(route(transformations=("t",)), transformations=(post_plan(response=headers(a="{{")),)),
    config(route(forward("nobody"))),
    config(route(forward("hf", "nobody"))),
    config(route(forward(path_rewrite=RegexRewrite("(", "/x")))),
    config(route(forward(path_rewrite=RegexRewrite("/a", "/x y")))),
    config(route(forward(path_rewrite=RegexRewrite("/a", "\\7")))),
    config(route(forward(path_rewrite=PrefixRewrite("/x\r\ny")))),
    config(route(forward(path_rewrite=Unknown()))),
    config(route(forward(host_rewrite="a b"))),
    config(route(forward(host_rewrite="a\r\nb: c"))),
    config(route(Redirect(302, host="a/b"))),
    config(route(Redirect(302, path="/a\nb"))),
    config(route(Unknown())),  # type: ignore[arg-type]
    config(route(matches=(RouteMatch(paths=(PathMatch("regex", "("),)),))),
    config(route(matches=(RouteMatch(headers=(HeaderMatch("a", "(", regex=True),)),))),
    config(route(matches=(RouteMatch(query=(QueryMatch("a", "(", regex=True),)),))),
]


@pytest.mark.parametrize("served", CLOSED)
def test_route_that_needs_what_can_not_be_compiled_is_closed(served: GatewayConfig) -> None:
    reply = Talk(served, request("GET", "/", ("api-key", KEY))).reply
    assert (reply.status, reply.reason) == (503, "unknown_plan")
    assert reply.body.startswith(b'{"error":')


def test_other_routes_are_served_beside_a_closed_one() -> None:
    closed = open_route(name="closed", matches=(RouteMatch(paths=(PathMatch("exact", "/a"),)),), transformations=("t",))
    served = config(closed, open_route(name="good"), transformations=(post_plan(request=headers(a="{{")),))
    assert Talk(served, request("GET", "/a")).reply.status == 503
    assert isinstance(Talk(served, request("GET", "/b")).step, Outgoing)


def test_refused_route_answers_before_anything_else() -> None:
    reply = Talk(config(route(Refuse(500, "invalid_policy"))), request()).reply
    assert (reply.status, reply.reason) == (500, "invalid_policy")


def test_route_closed_with_401_answers_as_recorded() -> None:
    reply = Talk(config(open_route(Refuse(401, "auth_required"))), request()).reply
    assert (
        reply.status,
        reply.body,
        reply.headers,
    ) == (401, b"", ((b"www-authenticate", b"API key is missing or invalid"),))


def test_table_is_built_in_slices() -> None:
    builder = TableBuilder(config(route(), open_route(name="second")), {})
    steps = 0
    while builder.step():
        assert builder.table is None
        steps += 1
    assert steps >= 5
    table = builder.table
    assert table is not None
    assert table is builder.finish()
    assert not builder.step()
    assert {8081} == set(table.listeners)


def test_unchanged_parts_are_taken_over() -> None:
    good = post_plan(request=headers(a="x"))
    served = config(route(transformations=("t",)), transformations=(good,))
    old = build_table(served, {})
    new = TableBuilder(served, {}, previous=old).finish()
    assert new.listeners[8081] is not old.listeners[8081]
    assert new.upstreams["hf"] is old.upstreams["hf"]
    assert new.auth_plans["plan"][1] is old.auth_plans["plan"][1]
    assert new.transformations["t"][1] is old.transformations["t"][1]


def test_changed_parts_are_compiled_anew() -> None:
    served = config(route(transformations=("t",)), transformations=(post_plan(request=headers(a="x")),))
    old = build_table(served, {})
    changed = replace(
        served,
        upstreams=(replace(UPSTREAM, send_user_id=True),),
        auth_plans=(auth_plan(key_step(header="other")),),
        transformations=(post_plan(request=headers(a="y")),),
    )
    new = TableBuilder(changed, {}, previous=old).finish()
    assert new.upstreams["hf"].send_user_id
    assert new.auth_plans["plan"][1] is not old.auth_plans["plan"][1]
    assert new.transformations["t"][1] is not old.transformations["t"][1]


def test_changed_environment_compiles_templates_anew() -> None:
    served = config(
        open_route(transformations=("t",)),
        transformations=(post_plan(request=headers(a='{{ env("A") }}')),),
        template_env=("A", "B"),
    )
    old = build_table(served, {"A": "1"})
    new = TableBuilder(served, {"A": "2"}, previous=old).finish()
    assert new.transformations["t"][1] is not old.transformations["t"][1]


def test_templates_see_only_the_environment_that_the_config_lists() -> None:
    template = headers(a='{{ env("A") }}', b='{{ env("SECRET") }}')
    served = config(
        open_route(transformations=("t",)), transformations=(post_plan(request=template),), template_env=("A",)
    )
    sent = Talk(served, request(), environment={"A": "1", "SECRET": "2"}).sent
    assert (sent.get("a"), sent.get("b")) == ("1", None)


def test_first_of_two_listeners_on_one_port_serves() -> None:
    hosts = (VirtualHost(("*",), (open_route(),)),)
    table = build_table(config(listeners=(Listener("one", 8081, hosts), Listener("two", 8081))), {})
    assert table.listeners[8081].name == "one"
