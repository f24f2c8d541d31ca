"""Reading selectors, good and bad, and what they select."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wardgate.ir import DirectResponse
from wardgate.problems import ObjectRef
from wardgate.translate.destinations.destination import Destination
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.policy_selectors import (
    DestinationCriteria,
    RouteCriteria,
    Selectors,
    read_selectors,
)
from wardgate.translate.selection.route_finder import RouteFinder


def _read(**spec: object) -> Selectors:
    return read_selectors({"spec": spec})


def _instance(namespace: str = "a", *labels: tuple[str, str], to: Destination | None = None) -> RouteInstance:
    return RouteInstance(
        table=ObjectRef("RouteTable", namespace, "t"),
        index=0,
        name="r",
        matches=(),
        action=DirectResponse(200),
        labels=frozenset(labels),
        destinations=(to,) if to else (),
    )


def test_route_selector_is_read() -> None:
    selectors = _read(applyToRoutes=[{"route": {"labels": {"b": "2", "a": "1"}, "namespace": "n", "cluster": "c"}}])
    assert (RouteCriteria((("a", "1"), ("b", "2")), "n", "c"),) == selectors.routes


def test_scalars_without_quotes_count_as_text() -> None:
    selectors = _read(applyToRoutes=[{"route": {"labels": {"a": 1, "b": True, "c": 1.5}}}])
    assert (RouteCriteria((("a", "1"), ("b", "true"), ("c", "1.5"))),) == selectors.routes


def test_one_selector_without_a_list_is_read() -> None:
    assert (RouteCriteria((("a", "1"),)),) == _read(applyToRoutes={"route": {"labels": {"a": "1"}}}).routes


def test_destination_selector_is_read() -> None:
    target = {"kind": "EXTERNAL_SERVICE", "selector": {"name": "x", "labels": {}}, "port": {"name": "https"}}
    assert (DestinationCriteria("EXTERNAL_SERVICE", name="x", port="https"),) == _read(
        applyToDestinations=[target]
    ).destinations


@pytest.mark.parametrize(
    "spec",
    [
        {"applyToRoutes": "x"},
        {"applyToRoutes": 5},
        {"applyToRoutes": [5]},
        {"applyToRoutes": [{"route": {"labels": ["a"]}}]},
        {"applyToRoutes": [{"route": {"namespace": ["a"]}}]},
        {"applyToRoutes": [{"withDestinations": 5}]},
        {"applyToDestinations": [{"port": {"number": "80"}}]},
        {"applyToDestinations": [{"port": {"number": True}}]},
        {"applyToDestinations": [{"port": []}]},
    ],
)
def test_unreadable_selector_selects_nothing_and_is_counted(spec: Mapping[str, object]) -> None:
    selectors = read_selectors({"spec": spec})
    assert Selectors(unreadable=1) == selectors
    assert not selectors.is_empty


def test_spec_of_another_shape_is_unreadable() -> None:
    assert Selectors(unreadable=1) == read_selectors({"spec": "x"})


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {"applyToRoutes": [None]},
        {"applyToRoutes": [{}]},
        {"applyToRoutes": {}},
        {"applyToRoutes": [{"route": None}]},
        {"applyToRoutes": [{"withDestinations": None}]},
        {"applyToRoutes": [{"route": {"labels": {"a": None}}}]},
        {"applyToRoutes": [{"withDestinations": {"selector": {"labels": {"a": None}}}}]},
        {"applyToDestinations": [None]},
    ],
)
def test_emptied_selector_selects_nothing_and_is_counted_apart(spec: Mapping[str, object] | None) -> None:
    selectors = read_selectors({"spec": spec})
    assert Selectors(emptied=1) == selectors
    assert not selectors.is_empty


def test_absent_and_empty_lists_are_empty() -> None:
    assert _read().is_empty
    assert _read(applyToRoutes=[], applyToDestinations=None).is_empty


def _select(finder: RouteFinder, selector: object, *, within: str | None = None, restricts: bool = True) -> set[int]:
    return finder.by_policy(_read(applyToRoutes=[selector]), within=within, restricts=restricts)


def test_labels_and_namespace_must_all_hold() -> None:
    finder = RouteFinder(
        [_instance("a", ("x", "1")), _instance("b", ("x", "1")), _instance("a", ("x", "2"))], cluster_name=None
    )
    assert {0, 1} == _select(finder, {"route": {"labels": {"x": "1"}}})
    assert {1} == _select(finder, {"route": {"labels": {"x": "1"}, "namespace": "b"}})
    assert {0, 2} == _select(finder, {"route": {}}, within="a")
    assert {0, 1, 2} == finder.everything(within=None)


def test_cluster_is_compared_only_where_there_is_a_name() -> None:
    selector = {"route": {"cluster": "west"}}
    assert {0} == _select(RouteFinder([_instance()], cluster_name=None), selector)
    assert set() == _select(RouteFinder([_instance()], cluster_name="east"), selector)
    assert {0} == _select(RouteFinder([_instance()], cluster_name="west"), selector)


@pytest.mark.parametrize(
    ("destination", "selector", "selected"),
    [
        (Destination("SERVICE", "a", "web", 80), {}, True),
        (Destination("EXTERNAL_SERVICE", "a", "web", 80), {}, False),
        (Destination("SERVICE", "a", "web", 80), {"selector": {"name": "shop"}}, False),
        (Destination("SERVICE", "a", "web", 80), {"selector": {"namespace": "b"}}, False),
        (Destination("SERVICE", "a", "web", 80), {"port": {"number": 81}}, False),
        (Destination("SERVICE", "a", "web", 80), {"port": {"number": 80}}, True),
        (Destination("SERVICE", "a", "web", 80, frozenset({("x", "1")})), {"selector": {"labels": {"x": "2"}}}, False),
        (Destination("SERVICE", "a", "web", 80, frozenset({("x", "1")})), {"selector": {"labels": {"x": "1"}}}, True),
    ],
)
def test_route_is_selected_by_its_destination(
    destination: Destination, selector: Mapping[str, object], *, selected: bool
) -> None:
    finder = RouteFinder([_instance(to=destination)], cluster_name=None)
    assert selected == (0 in _select(finder, {"withDestinations": selector}))


@pytest.mark.parametrize("unknown", [{"selector": {"labels": {"x": "1"}}}, {"port": {"name": "http"}}])
def test_what_is_not_known_of_a_service_counts_for_policies_that_restrict_only(unknown: object) -> None:
    finder = RouteFinder([_instance(to=Destination("SERVICE", "a", "web", 80))], cluster_name=None)
    assert {0} == _select(finder, {"withDestinations": unknown}, restricts=True)
    assert set() == _select(finder, {"withDestinations": unknown}, restricts=False)


def test_tenant_selects_destinations_of_its_own_routes_only() -> None:
    web = Destination("SERVICE", "a", "web", 80)
    finder = RouteFinder([_instance("a", to=web), _instance("b", to=web)], cluster_name=None)
    assert {1} == _select(finder, {"withDestinations": {}}, within="b")
    assert {0} == finder.to_services(within="a")
