"""Which route takes a request."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proxy.core.conversation import Talk, config, open_route, request
from wardgate.ir import (
    DirectResponse,
    Endpoint,
    Forward,
    HeaderMatch,
    Listener,
    PathMatch,
    QueryMatch,
    Route,
    RouteMatch,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.proxy.core.fields.pseudo import header_value
from wardgate.proxy.core.messages import Reply, Request
from wardgate.proxy.core.routing.matching import _parameters, query_value
from wardgate.proxy.core.routing.route_index import host_name
from wardgate.proxy.core.routing.table_builder import build_table


def answer(name: str, *matches: RouteMatch) -> Route:
    """Build a route that answers with its own name."""
    return Route(name, DirectResponse(200, name), matches=matches)


def chosen(routes: list[Route], arrived: Request) -> str:
    step = Talk(config(*routes), arrived).step
    assert isinstance(step, Reply)
    return step.body.decode() if step.status == 200 else step.reason


def path(kind: Literal["exact", "prefix", "regex"], value: str, *, ignore_case: bool = False) -> RouteMatch:
    return RouteMatch(paths=(PathMatch(kind, value, ignore_case),))


@pytest.mark.parametrize(
    ("match", "target", "matches"),
    [
        (path("exact", "/a"), "/a", True),
        (path("exact", "/a"), "/a?x", True),
        (path("exact", "/a"), "/a/", False),
        (path("exact", "/a"), "/A", False),
        (path("exact", "/a", ignore_case=True), "/A", True),
        (path("exact", "/a", ignore_case=True), "/AB", False),
        (path("prefix", "/a"), "/a/b", True),
        (path("prefix", "/a"), "/ab", True),
        (path("prefix", "/a"), "/", False),
        (path("prefix", "/a", ignore_case=True), "/Ab", True),
        (path("prefix", "/a", ignore_case=True), "/b", False),
        (path("prefix", ""), "/b", True),
        (path("regex", "/a[0-9]+"), "/a12", True),
        (path("regex", "/a[0-9]+"), "/a12/b", False),
        (RouteMatch(paths=(PathMatch("prefix", "/a"), PathMatch("prefix", "/a/b"))), "/a/b/c", True),
        (RouteMatch(paths=(PathMatch("prefix", "/x"), PathMatch("prefix", "/a/b"))), "/a/b/c", False),
        (RouteMatch(paths=(PathMatch("prefix", "/a"), PathMatch("exact", "/a/b"))), "/a/b", True),
        (RouteMatch(paths=(PathMatch("exact", "/a"), PathMatch("exact", "/b"))), "/a", False),
        (RouteMatch(paths=(PathMatch("regex", "/a.*"), PathMatch("prefix", "/a/b"))), "/a/b", True),
        (RouteMatch(methods=("GET", "POST")), "/", True),
        (RouteMatch(methods=("POST",)), "/", False),
        (RouteMatch(query=(QueryMatch("q"),)), "/?q", True),
        (RouteMatch(query=(QueryMatch("q"),)), "/?p", False),
        (RouteMatch(query=(QueryMatch("q"),)), "/", False),
        (RouteMatch(query=(QueryMatch("q", "1"),)), "/?q=1&q=2", True),
        (RouteMatch(query=(QueryMatch("q", "1"),)), "/?q=2", False),
        (RouteMatch(query=(QueryMatch("q", "1"),)), "/", False),
        (RouteMatch(query=(QueryMatch("q", "a b"),)), "/?%71=a%20b", True),
        (RouteMatch(query=(QueryMatch("q", "[0-9]+", regex=True),)), "/?q=12", True),
        (RouteMatch(query=(QueryMatch("q", "[0-9]+", regex=True),)), "/?q=12a", False),
    ],
)
def test_matcher(match: RouteMatch, target: str, *, matches: bool) -> None:
    assert ("r" if matches else "no_route") == chosen([answer("r", match)], request("GET", target))


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        (HeaderMatch("x-a"), True),
        (HeaderMatch("x-b"), False),
        (HeaderMatch("x-a", invert=True), False),
        (HeaderMatch("x-b", invert=True), True),
        (HeaderMatch("x-a", "1,2"), True),
        (HeaderMatch("x-a", "1"), False),
        (HeaderMatch("x-a", "1", invert=True), True),
        (HeaderMatch("x-b", "1", invert=True), True),
        (HeaderMatch("x-a", "[12],2", regex=True), True),
        (HeaderMatch("x-a", "[12]", regex=True), False),
        (HeaderMatch(":method", "GET"), True),
        (HeaderMatch(":path", "/p?q"), True),
        (HeaderMatch(":authority", "gw.example"), True),
        (HeaderMatch("host", "gw.example"), True),
        (HeaderMatch(":scheme", "http"), True),
    ],
)
def test_header_matcher(match: HeaderMatch, *, matches: bool) -> None:
    arrived = request("GET", "/p?q", ("x-a", "1"), ("x-a", "2"))
    assert ("r" if matches else "no_route") == chosen([answer("r", RouteMatch(headers=(match,)))], arrived)


def test_any_one_matcher_of_a_route_will_do() -> None:
    assert chosen([answer("r", path("exact", "/a"), path("exact", "/b"))], request("GET", "/b")) == "r"


def test_first_route_in_order_takes_the_request() -> None:
    routes = [
        answer("by-header", RouteMatch(paths=(PathMatch("prefix", "/a"),), headers=(HeaderMatch("x"),))),
        answer("prefix", path("prefix", "/a")),
        answer("exact", path("exact", "/a/b")),
        answer("all"),
    ]
    assert chosen(routes, request("GET", "/a/b")) == "prefix"
    assert chosen(routes, request("GET", "/a/b", ("x", ""))) == "by-header"
    assert chosen(routes, request("GET", "/b")) == "all"


def test_request_that_no_route_takes_is_answered_404() -> None:
    reply = Talk(config(answer("r", path("exact", "/a"))), request("GET", "/b")).reply
    assert (reply.status, reply.reason) == (404, "no_route")
    assert reply.body == b'{"error":"No route takes this request."}'
    assert reply.headers == ((b"content-type", b"application/json"), (b"wardgate-error-source", b"gateway"))


def naive(routes: list[Route], arrived: Request) -> str:
    def meets(condition: PathMatch) -> bool:
        value = condition.value.encode()
        return arrived.path == value if condition.kind == "exact" else arrived.path.startswith(value)

    for each in routes:
        if not each.matches or any(all(meets(p) for p in match.paths) for match in each.matches):
            return each.name
    return "no_route"


_PATHS = st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/ab", "/b"])
_CONDITIONS = st.builds(PathMatch, st.sampled_from(["exact", "prefix"]), _PATHS)
_MATCHES = st.builds(lambda paths: RouteMatch(paths=tuple(paths)), st.lists(_CONDITIONS, max_size=2))


@settings(max_examples=200)
@given(st.lists(st.lists(_MATCHES, max_size=2), max_size=8), _PATHS)
def test_index_finds_what_comparing_one_by_one_would(matches: list[list[RouteMatch]], target: str) -> None:
    routes = [answer(f"r{place}", *each) for place, each in enumerate(matches)]
    assert naive(routes, request("GET", target)) == chosen(routes, request("GET", target))


# -- hosts


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example.com", "exact"),
        ("A.Example.COM:8081", "exact"),
        ("a.example.com.", "exact"),
        ("b.example.com", "short"),
        ("b.c.example.com", "short"),
        ("x.deep.example.com", "deep"),
        ("example.com", "any"),
        (".example.com", "any"),
        ("", "any"),
        ("[::1]:8081", "any"),
        ("x" * 300 + ".example.com", "any"),
    ],
)
def test_most_specific_domain_takes_the_request(host: str, expected: str) -> None:
    hosts = (
        VirtualHost(("*",), (answer("any"),)),
        VirtualHost(("*.example.com",), (answer("short"),)),
        VirtualHost(("*.deep.example.com",), (answer("deep"),)),
        VirtualHost(("a.example.com", "other"), (answer("exact"),)),
        VirtualHost(("a.example.com",), (answer("second"),)),
    )
    reply = Talk(config(listeners=(Listener("gw", 8081, hosts),)), request(host=host)).reply
    assert expected == reply.body.decode()


def test_host_that_nobody_has_is_answered_404() -> None:
    served = config(listeners=(Listener("gw", 8081, (VirtualHost(("a.example",), (answer("r"),)),)),))
    assert Talk(served, request(host="b.example")).reply.reason == "no_route"


@pytest.mark.parametrize(
    ("authority", "expected"), [(b"A.b:80", b"a.b"), (b"[::1]:80", b"[::1]"), (b"[::1]", b"[::1]"), (b"a.", b"a")]
)
def test_host_name_is_read(authority: bytes, expected: bytes) -> None:
    assert expected == host_name(authority)


def test_https_redirect_listener_redirects_everything() -> None:
    listener = Listener("gw", 8081, (VirtualHost(("*",), (answer("r"),)),), https_redirect=True)
    reply = Talk(config(listeners=(listener,)), request("GET", "/a?b=c", host="shop.example:80")).reply
    assert (reply.status, reply.reason) == (301, "redirect")
    assert reply.headers == ((b"location", b"https://shop.example/a?b=c"),)


def test_https_redirect_needs_a_host() -> None:
    listener = Listener("gw", 8081, https_redirect=True)
    assert Talk(config(listeners=(listener,)), request(host="")).reply.reason == "bad_host"


def test_absent_values() -> None:
    assert header_value(request(), b"x") is None
    assert query_value(b"a=1", b"b") is None


@pytest.mark.parametrize("parameter", ["a{}&", "%61{}&"])
def test_thousands_of_parameters_are_taken_apart_once_however_many_routes_ask_for_one(parameter: str) -> None:
    query = "/?" + "".join(map(parameter.format, range(8000)))
    asking = (answer(f"r{at}", RouteMatch(query=(QueryMatch(f"q{at}", "x"),))) for at in range(60))
    table = build_table(config(*asking, answer("rest")), {})
    _parameters.cache_clear()
    found = table.listeners[8081].find(request("GET", query))
    assert found is not None
    assert found[1].name == "rest"
    assert (_parameters.cache_info().misses, _parameters.cache_info().hits) == (1, 59)


def test_weights_choose_the_upstream() -> None:
    action = Forward((WeightedUpstream("a", 1), WeightedUpstream("b", 0), WeightedUpstream("c", 3)))
    ups = tuple(Upstream(name, (Endpoint(name, 80),)) for name in "abc")
    found = [
        Talk(config(open_route(action), upstreams=ups), request(), pick=lambda _, at=at: at).outgoing.upstream.name  # type: ignore[misc]
        for at in range(4)
    ]
    assert found == ["a", "c", "c", "c"]


def test_route_without_traffic_is_answered_503() -> None:
    for upstreams in ((), (WeightedUpstream("hf", 0),)):
        assert Talk(config(open_route(Forward(upstreams))), request()).reply.reason == "no_destination"


def test_route_that_a_long_path_might_take_too_long_to_find_is_none_and_no_other_is_taken() -> None:
    slow = answer("slow", path("regex", "/([ab]*a[ab]{900})*x"))
    routes = [slow, answer("wide", path("prefix", "/"))]
    assert chosen(routes, request("GET", "/aab")) == "wide"
    assert chosen(routes, request("GET", "/" + "ab" * 30_000)) == "no_route"
