"""Names that are not compared: removing one must not leave a null in place of a selector."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.api import ExtAuthPolicy, RouteTable, parse_object
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate.reading.cluster_names import ignored_names

_REF = ObjectRef("ExtAuthPolicy", "gw", "keys")


def _remedies(route: dict[str, Any], settings: Settings | None = None) -> list[str]:
    manifest = {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": "keys"},
        "spec": {"applyToRoutes": [{"route": route}], "config": {"disable": True}},
    }
    model = parse_object(manifest).model
    assert isinstance(model, ExtAuthPolicy)
    return [
        one.message.partition("with anything; ")[2]
        for one in ignored_names(model, _REF, settings=settings or Settings())
    ]


_EMPTY = "remove it, and write route: {} because nothing else is left in there."


@pytest.mark.parametrize(
    ("route", "remedies"),
    [
        ({"workspace": "a"}, [_EMPTY]),
        ({"workspace": "a", "cluster": "b"}, ["", _EMPTY]),
        ({"workspace": "a", "labels": {}}, ["remove it."]),
        ({"workspace": "a", "namespace": "n"}, ["remove it."]),
    ],
)
def test_sole_member_is_replaced_by_an_empty_mapping(route: dict[str, Any], remedies: list[str]) -> None:
    assert remedies == _remedies(route)


def test_cluster_that_is_compared_stays_beside_a_workspace() -> None:
    assert ["remove it."] == _remedies({"workspace": "a", "cluster": "b"}, Settings(cluster_name="b"))


def test_sole_member_of_an_entry_leaves_an_empty_entry() -> None:
    manifest = {
        "apiVersion": "networking.gloo.solo.io/v2",
        "kind": "RouteTable",
        "metadata": {"name": "t"},
        "spec": {"http": [{"delegate": {"routeTables": [{"workspace": "a"}]}}]},
    }
    model = parse_object(manifest).model
    assert isinstance(model, RouteTable)
    (problem,) = ignored_names(model, _REF, settings=Settings())
    assert problem.message.endswith("; remove it, and write {} because nothing else is left in the entry.")
