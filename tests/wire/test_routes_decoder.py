"""A decoder with a past decodes as one without, and hands out again what did not change."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.wire.histories import START, Group, histories
from tests.wire.samples import FULL, ROUTES, routes_of
from tests.wire.walking import changed, pretty, write
from wardgate import ir
from wardgate.wire import Decoded, RoutesDecoder, WireError, decode_routes, encode

HOST = ("listeners", 0, "virtual_hosts", 0)


def outcome(decode: typing.Callable[[bytes], Decoded], data: bytes) -> object:
    try:
        return decode(data)
    except WireError as error:
        return str(error)


def decoded_one_after_another(*groups: Group) -> list[ir.GatewayConfig]:
    decoder = RoutesDecoder()
    return [decoder.decode(write(group)).config for group in groups]


@settings(max_examples=80, deadline=None)
@given(histories())
def test_any_history_is_decoded_as_if_there_were_none(history: list[bytes]) -> None:
    decoder = RoutesDecoder()
    for data in history:
        assert outcome(decode_routes, data) == outcome(decoder.decode, data)


def test_a_changed_plan_leaves_listeners_and_other_plans_the_same_objects() -> None:
    before, after = decoded_one_after_another(START, changed(START, ("auth_plans", 0, "policy"), "other"))
    assert after.auth_plans[0].policy == "other"
    assert after.auth_plans[1] is before.auth_plans[1]
    assert [one is other for one, other in zip(before.listeners, after.listeners, strict=True)] == [True] * 3
    assert after.upstreams[0] is before.upstreams[0]
    assert after.transformations[0] is before.transformations[0]


def test_a_changed_route_leaves_the_routes_beside_it_the_same_objects() -> None:
    before, after = decoded_one_after_another(START, changed(START, (*HOST, "routes", 1, "auth"), "plan-keys"))
    same = [one is other for one, other in zip(routes_of(before), routes_of(after), strict=True)]
    assert same == [True, False] + [True] * (len(same) - 2)
    assert routes_of(after)[1].auth == "plan-keys"


@pytest.mark.parametrize("count", [1, 3])
def test_routes_that_are_put_in_or_taken_out_leave_the_others_the_same_objects(count: int) -> None:
    routes = START["listeners"][0]["virtual_hosts"][0]["routes"]
    new = [{"name": f"new-{number}", "action": routes[3]["action"]} for number in range(count)]
    more = changed(START, (*HOST, "routes"), [routes[0], *new, *routes[1:]])
    before, longer, again = decoded_one_after_another(START, more, START)
    for one, other in ((before, longer), (longer, again)):
        names = {route.name: route for route in one.listeners[0].virtual_hosts[0].routes}
        shared = [route for route in other.listeners[0].virtual_hosts[0].routes if route.name in names]
        assert [route.name for route in ROUTES] == [route.name for route in shared]
        assert all(names[route.name] is route for route in shared)


def test_a_listener_that_is_put_in_leaves_the_others_the_same_objects() -> None:
    more = changed(START, ("listeners",), [{"name": "a", "port": 1}, {"name": "b", "port": 2}, *START["listeners"]])
    before, after = decoded_one_after_another(START, more)
    assert all(one is other for one, other in zip(before.listeners, after.listeners[2:], strict=True))


def test_a_plan_that_is_no_longer_understood_closes_routes_that_were_taken_over() -> None:
    decoder = RoutesDecoder()
    decoder.decode(write(START))
    newer = decoder.decode(write(changed(START, ("auth_plans", 0, "newer"), 1)))
    assert routes_of(newer.config)[0].action == ir.Refuse(503, "unknown_plan")
    assert newer.closed[0] == "AuthPlan plan-keys is left out: unknown field 'newer' of AuthPlan."
    assert decoder.decode(write(START)) == decode_routes(write(START))


def test_what_an_unknown_part_closed_is_said_again_each_time() -> None:
    decoder = RoutesDecoder()
    newer = changed(START, (*HOST, "routes", 0, "newer"), 1)
    first = decoder.decode(write(newer))
    assert decoder.decode(write(changed(newer, ("auth_plans", 1, "policy"), "x"))).closed == first.closed != ()


def test_an_unknown_group_closes_routes_that_were_taken_over() -> None:
    decoder = RoutesDecoder()
    data = write(START)
    open_ones = decoder.decode(data)
    closed = decoder.decode(data, unknown_groups=["quotas"])
    assert {type(route.action) for route in routes_of(closed.config)} == {ir.Refuse}
    assert decoder.decode(data) == open_ones


def test_bytes_in_another_form_are_decoded_all_the_same() -> None:
    decoder = RoutesDecoder()
    decoder.decode(write(START))
    assert decoder.decode(pretty(START).encode()) == decode_routes(write(START))
    assert decoder.decode(write(START)) == decode_routes(write(START))


def test_bytes_that_are_refused_do_not_harm_what_comes_after() -> None:
    decoder = RoutesDecoder()
    decoder.decode(write(START))
    for broken in (b"", b"[]", write(START)[:-1], write(START) + b"0", write(changed(START, ("listeners",), 1))):
        with pytest.raises(WireError):
            decoder.decode(broken)
    data = encode(replace(FULL, auth_plans=FULL.auth_plans[:1])).groups["routes"]
    assert decoder.decode(data) == decode_routes(data)
