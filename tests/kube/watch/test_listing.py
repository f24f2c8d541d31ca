"""Whole collections, and what is said where there is none."""

from __future__ import annotations

import asyncio

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection
from tests.kube.manifests import secret
from wardgate.faults import place_of
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ConnectionFailed, KubeError, UnreadableObject
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.kube.watch.listing import explain, list_all, version_of

KEYS = Collection(SECRETS, "apps", (("fieldSelector", "type=Opaque"), ("labelSelector", "team=ai")))


def test_pages_make_one_list_of_the_version_of_the_first() -> None:
    listing = asyncio.run(list_all(FakeCollection(*(secret(name) for name in "abc"), version=42), KEYS))
    assert (["a", "b", "c"], 42) == ([obj.ref.name for obj in listing.objects], listing.as_of)


def test_empty_collection_has_a_version_too() -> None:
    assert 42 == asyncio.run(list_all(FakeCollection(version=42), KEYS)).as_of


@pytest.mark.parametrize("page", [{}, {"metadata": {}}, {"metadata": {"resourceVersion": ""}}, {"metadata": None}])
def test_list_without_a_version_is_none(page: dict[str, object]) -> None:
    with pytest.raises(UnreadableObject, match="a list without a version"):
        version_of(page)


@pytest.mark.parametrize(
    ("collection", "text"),
    [
        (Collection(SECRETS), "secrets in all namespaces"),
        (Collection(SECRETS, "apps"), "secrets in namespace apps"),
        (KEYS, "secrets (type=Opaque and team=ai) in namespace apps"),
    ],
)
def test_collection_is_named_as_people_would(collection: Collection, text: str) -> None:
    assert text == str(collection)


ABSENT = (
    "The API server does not know the kind RouteTable: it counts as empty. Install its CRD "
    "(routetables.networking.gloo.solo.io)."
)
REFUSED = (
    "The API server does not let the operator list routetables in all namespaces (403 Forbidden). Allow its "
    "ServiceAccount to list and watch routetables there."
)
AWAY = "Listing routetables in all namespaces failed (no route). What was last seen stays in force."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refused(404, "NotFound"), ABSENT),
        (refused(403, "Forbidden"), REFUSED),
        (ConnectionFailed("no route"), AWAY),
    ],
)
def test_failure_is_told_with_what_it_means(error: KubeError, sentence: str) -> None:
    assert sentence == explain(Collection(resource_of("RouteTable")), error)


def test_unforeseen_error_is_placed_and_not_quoted() -> None:
    with pytest.raises(ValueError, match="sk-secret") as raised:
        _fail()
    place = place_of(raised.value)
    assert place.startswith("ValueError in _fail, line ")
    assert "sk-secret" not in place


def test_error_that_was_never_raised_has_no_place() -> None:
    assert place_of(ValueError("sk-secret")) == "ValueError"


def _fail() -> None:
    int("sk-secret")
