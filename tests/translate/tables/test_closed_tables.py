"""What cannot be read of a RouteTable closes: its requests reach nobody else's route."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.ir import DirectResponse, HeaderMatch, PathMatch, Refuse, Route, RouteMatch
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate import Translation, translate
from wardgate.translate.matching.literal_prefix import literal_prefix

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
    assert "RouteTable a/bad closes nothing: its spec.hosts cannot be read" in _message(translation)


def test_table_whose_hosts_cannot_be_read_is_served_in_its_last_good_form() -> None:
    cluster = Cluster().apply(_gateway(), _object("RouteTable", "bad", {**_ROOT, "http": [_OK]}))
    first = translate(cluster.snapshot(), Settings())
    cluster.apply(_object("RouteTable", "bad", {**_ROOT, "hosts": 5, "http": [_OK]}))
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert second.config == first.config
    assert "closes nothing" not in _message(second)


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
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert second.config == first.config


_HEAVY = {**_ROOT, "weight": 9}
_AT_ADM = {"matchers": [{"uri": {"prefix": "/adm"}}], **_OK}
_BAD_ENTRY = {"matchers": [{"uri": {"prefix": "/adm"}}], "directResponse": {"status": "x"}}


@pytest.mark.parametrize(
    ("spec", "closed"),
    [
        ({"http": [{"matchers": [{"uri": {"regex": "/adm(?=in)"}}], **_OK}]}, _path("prefix", "/adm")),
        (
            {"http": [{"matchers": [{"uri": {"prefix": "/adm"}, "headers": [{"name": "a", "value": 5}]}], **_OK}]},
            _path("prefix", "/adm"),
        ),
        ({"http": "x"}, RouteMatch()),
        ({"http": [{"matchers": 5, **_OK}]}, RouteMatch()),
        ({"http": [5]}, RouteMatch()),
    ],
)
def test_widened_matcher_stays_closed_before_an_older_table_that_has_the_same(
    spec: dict[str, Any], closed: RouteMatch
) -> None:
    """It went before the older table by its weight, and was not the same matcher until it was widened."""
    older = _object("RouteTable", "a-older", {**_ROOT, "http": [_AT_ADM, _OK]})
    translation = translate(
        Cluster().apply(_gateway(), older, _object("RouteTable", "bad", {**_HEAVY, **spec})).snapshot(), Settings()
    )
    first = _routes(translation)[0]
    assert (_CLOSED, closed) == (first.action, (first.matches or (RouteMatch(),))[0])
    assert closed not in [match for route in _routes(translation)[1:] for match in route.matches or (RouteMatch(),)]


def test_widened_matcher_of_an_older_table_takes_no_place_of_a_heavier_one() -> None:
    widened = {"matchers": [{"uri": {"regex": "/adm(?=in)"}}], **_OK}
    heavy = _object("RouteTable", "z-heavy", {**_HEAVY, "http": [_AT_ADM]})
    bad = _object("RouteTable", "bad", {**_ROOT, "http": [widened]})
    translation = translate(Cluster().apply(_gateway(), heavy, bad).snapshot(), Settings())
    at_adm = (_path("prefix", "/adm"),)
    assert [(False, at_adm), (True, at_adm)] == _found(translation)


def test_bad_route_with_the_matcher_of_an_older_one_closes_nothing_of_it() -> None:
    """Its matcher could be read: the older table has it, as it would have if the route were good."""
    older = _object("RouteTable", "a-older", {**_ROOT, "http": [_AT_ADM]})
    bad = _object("RouteTable", "bad", {**_HEAVY, "http": [_BAD_ENTRY]})
    translation = translate(Cluster().apply(_gateway(), older, bad).snapshot(), Settings())
    assert [(False, (_path("prefix", "/adm"),))] == _found(translation)


def _by_specificity(*routes: dict[str, Any], bad: object) -> list[tuple[bool, tuple[RouteMatch, ...]]]:
    """The routes of an open sibling and of ``bad``, below one parent, in the order they are tried."""
    delegate = {
        "matchers": [{"uri": {"prefix": "/"}}],
        "delegate": {
            "routeTables": [{"name": "bad"}, {"name": "table-2"}],
            "sortMethod": "ROUTE_SPECIFICITY",
        },
    }
    return _found(_translated(bad, {**_ROOT, "http": [delegate]}, {"http": list(routes)}))


def _at(kind: str, value: str, **conditions: object) -> dict[str, Any]:
    return {"matchers": [{"uri": {kind: value}, **conditions}], **_OK}


@pytest.mark.parametrize("matcher", [{"uri": {"regex": "/adm(?=in)"}}, {"uri": {"suffix": "min"}}, {"uri": 5}])
def test_closed_matcher_without_its_path_goes_before_less_specific_siblings(matcher: object) -> None:
    open_routes = (_at("prefix", "/admin/"), _at("regex", "/ad.*"), _at("exact", "/admin"))
    found = _by_specificity(*open_routes, bad={"http": [{"matchers": [matcher], **_OK}]})
    assert [False, True, False, False] == [is_closed for is_closed, _ in found]
    assert "exact" == found[0][1][0].paths[-1].kind


def test_unreadable_table_goes_before_its_less_specific_siblings() -> None:
    found = _by_specificity(_at("prefix", "/a"), _at("regex", "/ad.*"), bad={"http": "x"})
    assert [True, False, False] == [is_closed for is_closed, _ in found]


def test_closed_matcher_whose_path_is_known_keeps_its_place() -> None:
    wide = _at("prefix", "/adm", headers=[{"name": "a", "value": "(", "regex": True}])
    found = _by_specificity(_at("prefix", "/admin"), _at("prefix", "/a"), bad={"http": [wide]})
    assert [False, True, False] == [is_closed for is_closed, _ in found]


def test_path_and_condition_that_cannot_be_read_close_apart() -> None:
    matchers = [{"uri": {"prefix": "/a"}, "headers": [{"name": "x", "value": 5}]}, {"uri": {"prefix": 5}}]
    found = _by_specificity(_at("prefix", "/admin"), bad={"http": [{"matchers": matchers, **_OK}]})
    assert [True, False, True] == [is_closed for is_closed, _ in found]


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
