"""Headers that say where a request comes from: taken off, shown to matchers and templates, told to upstreams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.proxy.core.conversation import KEY, UPSTREAM, Talk, config, forward, open_route, post_plan, request, route
from wardgate.ir import (
    AppendedHeader,
    GatewayConfig,
    HeaderMatch,
    HeaderTemplate,
    MessageTemplate,
    PathMatch,
    RouteMatch,
    TransformationPlan,
)
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import Request

FORWARDED = ((b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-proto", b"https"))


def told(*routes: object, **changes: object) -> GatewayConfig:
    """A config whose upstream is to know where requests come from."""
    made = config(*routes, **changes)  # type: ignore[arg-type]
    return replace(made, upstreams=(replace(UPSTREAM, send_forwarded=True),))


def coming(*headers: tuple[str, bytes | str]) -> Request:
    return replace(request("GET", "/", *headers), forwarded=FORWARDED)


def header(name: str, text: str) -> MessageTemplate:
    return MessageTemplate(headers=(HeaderTemplate(name, text),))


def transformed(template: MessageTemplate) -> Talk:
    plan: TransformationPlan = post_plan(request=template)
    return Talk(told(open_route(transformations=("t",)), transformations=(plan,)), coming())


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "X-Real-IP"),
        *("x_forwarded_for", "X_Forwarded-Host", "x-real_ip"),
    ],
)
def test_what_a_caller_says_of_its_way_ends_on_arrival(name: str) -> None:
    block = f"GET / HTTP/1.1\r\nHost: gw.example\r\n{name}: 192.0.2.66\r\nAccept: */*\r\n\r\n".encode()
    head = parse_request_head(block, max_headers=10)
    assert isinstance(head, RequestHead)
    assert [(b"accept", b"*/*")] == head.headers
    come = arrived(head, forwarded=FORWARDED)
    assert come is not None
    assert {"host": "gw.example", "accept": "*/*"} == Talk(config(open_route()), come).sent


def test_connection_option_takes_no_word_of_a_believed_proxy_away() -> None:
    """Whoever names a field in ``Connection`` would have the next hop drop it, and be taken for the proxy itself."""
    lines = "GET / HTTP/1.1", "Host: gw.example", "Connection: close, X-Forwarded-For", "X-Forwarded-For: 192.0.2.1"
    head = parse_request_head("\r\n".join([*lines, "", ""]).encode(), max_headers=10)
    assert isinstance(head, RequestHead)
    assert [b"192.0.2.1"] == head.connection_fields[b"x-forwarded-for"]


def test_upstream_that_is_to_know_is_told() -> None:
    expected = {"host": "gw.example", "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
    assert expected == Talk(told(open_route()), coming()).sent


def test_other_upstreams_are_told_nothing() -> None:
    assert {"host": "gw.example"} == Talk(config(open_route()), coming()).sent


@pytest.mark.parametrize("change", [{"host_rewrite": "svc.example"}, {"auto_host_rewrite": True}])
def test_host_that_the_route_rewrites_is_told(change: dict[str, object]) -> None:
    sent = Talk(told(open_route(forward(**change))), coming()).sent
    assert "gw.example" == sent["x-forwarded-host"]


def test_host_that_a_believed_proxy_was_asked_for_is_told_in_its_place() -> None:
    come = replace(coming(), forwarded=(*FORWARDED, (b"x-forwarded-host", b"api.example.com")))
    sent = Talk(told(open_route(forward(host_rewrite="svc.example"))), come).sent
    assert "api.example.com" == sent["x-forwarded-host"]


def test_key_in_the_words_of_a_proxy_goes_nowhere() -> None:
    come = replace(coming(("api-key", KEY)), forwarded=(*FORWARDED, (b"x-forwarded-host", KEY)))
    sent = Talk(told(route()), come).sent
    assert "x-forwarded-host" not in sent
    assert "192.0.2.1" == sent["x-forwarded-for"]


def test_template_reads_what_the_gateway_vouches_for() -> None:
    said = transformed(header("x-seen", '{{ request_header("x-forwarded-for") }} {{ header("x-forwarded-proto") }}'))
    assert "192.0.2.1 https" == said.sent["x-seen"]


def test_template_that_sets_one_has_the_last_word() -> None:
    assert "private" == transformed(header("X-Forwarded-For", "private")).sent["x-forwarded-for"]
    assert "private" == transformed(header("x_forwarded_for", "private")).sent["x_forwarded_for"]
    assert "x-forwarded-for" not in transformed(header("x_forwarded_for", "private")).sent


def test_template_that_renders_one_empty_removes_it() -> None:
    assert "x-forwarded-for" not in transformed(header("x-forwarded-for", "")).sent


def test_template_that_removes_one_takes_it_off() -> None:
    assert "x-forwarded-for" not in transformed(MessageTemplate(remove=("x-forwarded-for",))).sent


def test_template_that_appends_adds_to_it() -> None:
    sent = transformed(MessageTemplate(append=(AppendedHeader("x-forwarded-for", "198.51.100.1"),))).sent
    assert "198.51.100.1|192.0.2.1" == sent["x-forwarded-for"]


def test_template_that_sets_one_tells_any_upstream() -> None:
    plan = post_plan(request=header("x-forwarded-for", "edge"))
    said = Talk(config(open_route(transformations=("t",)), transformations=(plan,)), coming())
    assert {"host": "gw.example", "x-forwarded-for": "edge"} == said.sent


def test_matcher_goes_by_what_the_gateway_vouches_for() -> None:
    match = RouteMatch(
        paths=(PathMatch("prefix", "/"),), headers=(HeaderMatch("x-forwarded-proto", "https", regex=False),)
    )
    served = config(open_route(name="secure", matches=(match,)), open_route(name="other"))
    assert "secure" == Talk(served, coming()).exchange.facts.route
    assert "other" == Talk(served, request("GET", "/")).exchange.facts.route


def test_listener_that_redirects_to_https_lets_pass_what_came_by_it() -> None:
    made = config(open_route())
    served = replace(made, listeners=(replace(made.listeners[0], https_redirect=True),))
    assert 301 == Talk(served, coming()).reply.status
    assert {"host": "gw.example"} == Talk(served, replace(coming(), scheme=b"https")).sent
