"""What cannot be read of a RouteTable closes: its requests reach nobody else's route."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.ir import DirectResponse, HeaderMatch, PathMatch, Refuse, Route, RouteMatch
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate import Translation, translate
from wardgate.translate.routes.literal_prefix import literal_prefix

_CLOSED = Refuse(500, "route_invalid")
_OK = {"directResponse": {"status": 200}}
_ROOT = {"hosts": ["api.com"], "virtualGateways": [{"name": "gw"}]}


def _object(kind: str, name: str, spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "networking.gloo.solo.io/v2",
        "kind": kind,
        "metadata": {"name": name, "namespace": "a"},
        "spec": spec,
    }


def _gateway(**http: Any) -> dict[str, Any]:
    return _object("VirtualGateway", "gw", {"listeners": [{"http": {}, "port": {"number": 80}, **http}]})


def _translated(*specs: object, gateway: dict[str, Any] | None = None) -> Translation:
    """The first spec is that of the table ``bad``; beside all of them stands an open table for every host."""
    open_table = _object("RouteTable", "open", {**_ROOT, "hosts": ["*"], "http": [_OK]})
    tables = [
        _object("RouteTable", "bad" if number == 0 else f"table-{number}", spec) for number, spec in enumerate(specs)
    ]
    return translate(Cluster().apply(gateway or _gateway(), open_table, *tables).snapshot(), Settings())


def _routes(translation: Translation, domain: str = "api.com") -> list[Route]:
    hosts = translation.config.listeners[0].virtual_hosts
    return [route for host in hosts if domain in host.domains for route in host.routes]


def _found(translation: Translation) -> list[tuple[bool, tuple[RouteMatch, ...]]]:
    """Of each route of api.com whether it is closed, and its matchers."""
    return [(route.action == _CLOSED, route.matches) for route in _routes(translation)]


def _message(translation: Translation) -> str:
    status = translation.statuses.of(ObjectRef("RouteTable", "a", "bad"))
    assert status is not None
    assert "INVALID" == status.approval
    return status.message


def _path(kind: Any, value: str) -> RouteMatch:
    return RouteMatch((PathMatch(kind, value),))


@pytest.mark.parametrize(
    "spec",
    [
        {**_ROOT, "http": "x"},
        {**_ROOT, "http": []},
        {**_ROOT, "http": "x", "hosts": "api.com"},
        {**_ROOT, "http": "x", "hosts": ["API.com.", 5], "weight": "7", "virtualGateways": [{"name": "gw"}, 5, {}]},
        {**_ROOT, "http": [], "tcp": "x"},
    ],
)
def test_hosts_of_a_table_without_readable_routes_are_closed(spec: object) -> None:
    translation = _translated(spec)
    assert [(True, ())] == _found(translation)
    assert "must be" in _message(translation) or "at least one" in _message(translation)


def test_table_whose_hosts_cannot_be_read_closes_nobody_elses() -> None:
    translation = _translated({**_ROOT, "hosts": 5, "http": [_OK]})
    assert [] == _routes(translation)
    assert [DirectResponse(200)] == [route.action for route in _routes(translation, "*")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weight", "x"),
        ("weight", True),
        ("workloadSelectors", 5),
        ("portalMetadata", 5),
        ("virtualServiceAnnotations", {"a": 5}),
        ("failureMode", "X"),
        ("tcp", 5),
        ("hosts", ["api.com", 5]),
        ("virtualGateways", [5, {"name": "gw"}]),
        ("defaultDestination", {"ref": {"name": "web"}}),
    ],
)
def test_fault_beside_the_routes_costs_no_route(field: str, value: object) -> None:
    translation = _translated({**_ROOT, "http": [_OK], field: value})
    assert [(False, ())] == _found(translation)
    assert field in _message(translation)


def test_weight_in_quotes_keeps_its_place() -> None:
    prefix = {"matchers": [{"uri": {"prefix": "/a"}}], "directResponse": {"status": 201}}
    translation = _translated({**_ROOT, "weight": "5", "http": [prefix]}, {**_ROOT, "weight": 4, "http": [_OK]})
    assert [(False, (_path("prefix", "/a"),)), (False, ())] == _found(translation)


def test_child_that_cannot_be_read_closes_its_place_below_its_parent() -> None:
    delegate = {"matchers": [{"uri": {"prefix": "/c"}}], "delegate": {"routeTables": [{"name": "bad"}]}}
    translation = _translated({"http": "x"}, {**_ROOT, "http": [delegate, _OK]})
    assert [(True, (_path("prefix", "/c"),)), (False, ())] == _found(translation)


def test_child_with_what_only_roots_have_is_served() -> None:
    delegate = {"delegate": {"routeTables": [{"name": "bad"}]}}
    child = {"http": [_OK], "failureMode": "FREEZE_CONFIG"}
    translation = _translated(child, {**_ROOT, "http": [delegate]})
    assert [(False, ())] == _found(translation)
    assert "failureMode" in _message(translation)


def test_route_without_any_destination_is_closed_alone() -> None:
    bad = {"matchers": [{"uri": {"prefix": "/b"}}], "forwardTo": {"destinations": []}}
    translation = _translated({**_ROOT, "http": [bad, _OK]})
    assert [(True, (_path("prefix", "/b"),)), (False, ())] == _found(translation)
    assert "has no destinations" in _message(translation)


@pytest.mark.parametrize(
    ("matcher", "closed"),
    [
        ({"uri": {"regex": "/adm(?=in)"}}, (_path("prefix", "/adm"),)),
        ({"uri": {"regex": "(?=/adm)"}}, ()),
        ({"uri": {"suffix": ".png"}}, ()),
        ({"uri": {"prefix": 5}}, ()),
        (5, ()),
        (
            {"uri": {"prefix": "/p"}, "headers": [{"name": "a", "value": "(", "regex": True}, {"name": "b"}]},
            (RouteMatch((PathMatch("prefix", "/p"),), (HeaderMatch("b"),)),),
        ),
        ({"uri": {"prefix": "/p"}, "headers": [{"name": "a", "value": 5}]}, (_path("prefix", "/p"),)),
        ({"queryParameters": [{"name": "a", "value": "(", "regex": True}]}, ()),
        ({"method": "GET POST"}, ()),
    ],
)
def test_matcher_that_cannot_be_read_closes_what_it_may_have_meant(
    matcher: object, closed: tuple[RouteMatch, ...]
) -> None:
    route = {"matchers": [{"uri": {"prefix": "/good"}}, matcher], "directResponse": {"status": 201}}
    translation = _translated({**_ROOT, "http": [route, {**_OK, "matchers": [{"uri": {"exact": "/later"}}]}]})
    expected = [(False, (_path("prefix", "/good"),)), (True, closed), (False, (_path("exact", "/later"),))]
    assert expected == _found(translation)
    assert "spec.http[0].matchers[1]" in _message(translation)


def test_matchers_that_are_no_list_close_the_route() -> None:
    translation = _translated({**_ROOT, "http": [{"matchers": 5, **_OK}]})
    assert [(True, ())] == _found(translation)


def test_widened_matcher_of_a_child_stays_below_its_parents() -> None:
    delegate = {"matchers": [{"uri": {"prefix": "/c"}}], "delegate": {"routeTables": [{"name": "bad"}]}}
    child = {"http": [{"matchers": [{"uri": {"suffix": "x"}}], **_OK}]}
    translation = _translated(child, {**_ROOT, "http": [delegate, _OK]})
    assert [(True, (_path("prefix", "/c"),)), (False, ())] == _found(translation)


@pytest.mark.parametrize("spec", [{"http": "x"}, {"http": [{"matchers": [{"uri": {"regex": "/p(?=a)"}}], **_OK}]}])
def test_allowed_routes_narrow_what_is_closed(spec: dict[str, Any]) -> None:
    allowed = [{"host": "*", "allowedRoutes": [{"matchers": [{"uri": {"prefix": "/public"}}]}]}]
    translation = _translated({**_ROOT, **spec}, gateway=_gateway(allowedRouteTables=allowed))
    ((is_closed, matches),) = _found(translation)
    assert is_closed
    assert PathMatch("prefix", "/public") in matches[0].paths


def test_last_good_form_goes_before_a_repaired_one() -> None:
    cluster = Cluster().apply(_gateway(), _object("RouteTable", "bad", {**_ROOT, "http": [_OK]}))
    first = translate(cluster.snapshot(), Settings())
    cluster.apply(_object("RouteTable", "bad", {**_ROOT, "weight": "x", "http": [{"directResponse": {"status": 201}}]}))
    second = translate(cluster.snapshot(), Settings(), first.last_good)
    assert second.config == first.config


def test_ignore_case_of_a_regex_is_told_to_have_no_effect() -> None:
    route = {"matchers": [{"uri": {"regex": "/a.*", "ignoreCase": True}}], **_OK}
    translation = _translated({**_ROOT, "http": [route]})
    status = translation.statuses.of(ObjectRef("RouteTable", "a", "bad"))
    assert status is not None
    assert ("WARNING", True) == (status.approval, "(?i)" in status.message)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/adm(?=in)", "/adm"),
        ("^/a", "/a"),
        ("/ab*(", "/a"),
        ("/ab?(", "/a"),
        ("/ab{0}(", "/a"),
        ("/ab+(", "/ab"),
        ("/a|/b(", ""),
        ("/a(?i)b(", ""),
        ("/a)?b", ""),
        ("*(", ""),
        ("", ""),
        (r"/a\.b(", "/a"),
    ],
)
def test_literal_prefix_is_short_rather_than_wrong(pattern: str, expected: str) -> None:
    assert expected == literal_prefix(pattern)
