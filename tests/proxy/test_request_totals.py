"""Sums of all workers: bounded whatever keys, routes and upstreams come and go."""

from __future__ import annotations

from dataclasses import replace

from tests.proxy.recorded import record
from wardgate.ir import Endpoint, Forward, GatewayConfig, Listener, Route, Upstream, VirtualHost, WeightedUpstream
from wardgate.proxy.core.messages import Facts
from wardgate.proxy.counters import Counters
from wardgate.proxy.departures import LINGER, MOST, Departures
from wardgate.proxy.request_totals import RequestTotals


def config(*routes: str, listener: str = "main") -> GatewayConfig:
    made = tuple(Route(name, Forward((WeightedUpstream(f"to-{name}", 1),))) for name in routes)
    return GatewayConfig(
        listeners=(Listener(listener, 8080, (VirtualHost(("*",), made),)),),
        upstreams=tuple(Upstream(f"to-{name}", (Endpoint("h", 80),)) for name in routes),
    )


class Proxy:
    """The sums of a proxy, and a worker that tells what it counts as soon as it has."""

    def __init__(self, *, keys: int = 100, series: int = 1000) -> None:
        self.totals = RequestTotals(keys=keys, series=series)
        self.now = 50_000.0
        self.worker = Counters()

    def serve(self, *routes: str) -> None:
        self.totals.serve(config(*routes), now=self.now)

    def count(self, route: str, *, key: str = "", listener: str = "main", status: int = 200, reason: str = "") -> None:
        facts = Facts(listener=listener, route=route, credential=key, upstream=f"to-{route}", reason=reason)
        self.worker.request(facts, record(status=status))
        self.worker.upstream_error(upstream=f"to-{route}", reason="upstream_reset")
        self.tell()

    def tell(self) -> None:
        self.totals.add(self.worker.take(), now=self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.totals.forget(now=self.now)

    @property
    def routes(self) -> list[str]:
        shown = [labels[1] for labels, _ in self.totals.requests()]
        assert shown == [route for route, _ in self.totals.times()]
        assert [f"to-{route}" for route in shown] == [upstream for (upstream, _), _ in self.totals.upstream_responses()]
        assert [f"to-{route}" for route in shown] == [upstream for (upstream, _), _ in self.totals.upstream_errors()]
        return shown

    def by_key(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for (_, _, key, _, _), count in self.totals.requests():
            counted[key] = counted.get(key, 0) + count
        return counted


def test_series_of_a_route_that_left_the_config_are_removed_after_its_last_request() -> None:
    proxy = Proxy()
    proxy.serve("a", "b")
    proxy.count("a")
    proxy.count("b")
    proxy.serve("b")
    proxy.wait(LINGER - 1)
    proxy.count("a")  # a stream that outlived its route
    proxy.wait(LINGER - 1)
    assert ["a", "b"] == proxy.routes
    proxy.wait(1)
    assert ["b"] == proxy.routes


def test_a_request_that_ends_after_its_series_went_is_counted_and_goes_in_turn() -> None:
    proxy = Proxy()
    proxy.serve("a")
    proxy.count("a")
    proxy.serve("b")
    proxy.wait(LINGER)
    assert [] == proxy.routes
    proxy.count("a")
    assert ["a"] == proxy.routes
    proxy.wait(LINGER)
    assert [] == proxy.routes


def test_series_of_a_route_that_is_back_stay() -> None:
    proxy = Proxy()
    proxy.serve("a")
    proxy.count("a")
    proxy.serve("b")
    proxy.wait(LINGER / 2)
    proxy.serve("a")
    proxy.wait(LINGER * 10)
    assert ["a"] == proxy.routes


def test_routes_counted_before_the_first_config_is_known_stay() -> None:
    proxy = Proxy()
    proxy.count("a")
    proxy.wait(LINGER * 10)
    assert ["a"] == proxy.routes


def test_a_listener_that_left_takes_its_series_along_and_leaves_those_of_the_route_elsewhere() -> None:
    proxy = Proxy()
    proxy.totals.serve(config("a", listener="old"), now=proxy.now)
    proxy.count("a", listener="old")
    proxy.count("", listener="old", status=404, reason="no_route")
    proxy.serve("a")
    proxy.count("a")
    proxy.wait(LINGER)
    assert {"main"} == {labels[0] for labels, _ in proxy.totals.requests()}
    assert ["a"] == [route for route, _ in proxy.totals.times()]


def test_requests_that_find_no_route_are_counted_as_long_as_their_listener_is_there() -> None:
    proxy = Proxy()
    proxy.serve("a")
    proxy.count("", status=404, reason="no_route")
    proxy.wait(LINGER)
    assert [(("main", "", "", "4xx", "no_route"), 1)] == list(proxy.totals.requests())
    assert [] == proxy.totals.times()


def test_answers_of_the_gateway_are_no_responses_of_the_upstream() -> None:
    proxy = Proxy()
    proxy.count("a", status=504, reason="upstream_timeout")
    assert [] == list(proxy.totals.upstream_responses())
    proxy.count("a", status=504)
    assert [(("to-a", "504"), 1)] == list(proxy.totals.upstream_responses())


def test_churn_of_routes_leaves_a_bounded_number_of_them() -> None:
    proxy = Proxy()
    for number in range(MOST + 500):
        proxy.serve(f"r{number}")
        proxy.count(f"r{number}")
    assert MOST + 1 == len(proxy.routes)
    assert f"r{MOST + 499}" in proxy.routes
    assert "r0" not in proxy.routes


def test_no_more_keys_are_told_apart_than_allowed() -> None:
    proxy = Proxy(keys=2)
    for key in ("red", "blue", "green", "red", "yellow", ""):
        proxy.count("a", key=key)
    assert {"red": 2, "blue": 1, "other": 2, "": 1} == proxy.by_key()


def test_a_key_that_is_not_used_for_an_hour_gives_its_place_to_another() -> None:
    proxy = Proxy(keys=2)
    proxy.count("a", key="red")
    proxy.count("a", key="blue")
    proxy.wait(3000)
    proxy.count("a", key="blue")
    proxy.wait(601)
    proxy.count("a", key="green")
    assert {"blue": 2, "green": 1} == proxy.by_key()


def test_a_key_keeps_its_place_while_nobody_wants_it() -> None:
    proxy = Proxy(keys=3)
    proxy.count("a", key="red")
    proxy.count("a", key="blue")
    proxy.wait(100_000)
    proxy.count("a", key="green")
    assert {"red": 1, "blue": 1, "green": 1} == proxy.by_key()


def test_no_more_series_have_a_keys_name_than_allowed_and_room_comes_back_with_routes_that_go() -> None:
    proxy = Proxy(series=3)
    proxy.serve("a", "b")
    for route, key in (("a", "red"), ("a", "blue"), ("b", "red"), ("b", "blue"), ("a", "red"), ("b", "blue")):
        proxy.count(route, key=key)
    assert {"red": 3, "blue": 1, "other": 2} == proxy.by_key()
    proxy.serve("b")
    proxy.wait(LINGER)
    proxy.count("b", key="blue")
    assert {"red": 1, "blue": 1, "other": 2} == proxy.by_key()


def test_names_of_keys_can_be_left_out_altogether() -> None:
    proxy = Proxy(keys=0)
    proxy.count("a", key="red")
    assert {"other": 1} == proxy.by_key()


def test_the_same_config_again_is_not_looked_through() -> None:
    proxy, same = Proxy(), config("a")
    proxy.totals.serve(same, now=proxy.now)
    proxy.totals.serve(replace(same), now=proxy.now)
    proxy.totals.serve(same, now=proxy.now)
    proxy.count("a")
    proxy.wait(LINGER)
    assert ["a"] == proxy.routes


def test_names_that_linger_go_the_longest_silent_first() -> None:
    departures: Departures[str] = Departures()
    departures.serve(set(), known=["a", "b"], now=0.0)
    departures.heard("a", now=1.0)
    assert ["b"] == departures.gone(LINGER)
    assert ["a"] == departures.gone(LINGER + 1)
    assert [] == departures.gone(LINGER * 9)
