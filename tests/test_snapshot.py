"""What ``translate`` sees of the cluster."""

from __future__ import annotations

import dataclasses

import pytest

from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject


def stored(
    name: str, *, namespace: str = "apps", created: str = "", manifest: dict[str, object] | None = None
) -> StoredObject:
    ref = ObjectRef("Secret", namespace, name)
    return StoredObject(ref=ref, uid=f"u-{name}", version=1, generation=1, created=created, manifest=manifest or {})


def test_a_kind_that_nobody_applied_is_empty() -> None:
    assert ClusterSnapshot().of("RouteTable") == ()


def test_objects_are_found_by_kind() -> None:
    one = stored("a")
    assert ClusterSnapshot(objects={"Secret": (one,)}).of("Secret") == (one,)


def test_age_sorts_the_oldest_first() -> None:
    old, new = stored("z", created="2024-01-01T00:00:00Z"), stored("a", created="2025-01-01T00:00:00Z")
    assert [old, new] == sorted([new, old], key=lambda obj: obj.age_key)


def test_equal_ages_sort_by_namespace_and_name() -> None:
    first, second, third = stored("b", namespace="a"), stored("a", namespace="b"), stored("b", namespace="b")
    assert [first, second, third] == sorted([third, second, first], key=lambda obj: obj.age_key)


def test_an_object_that_was_never_in_a_cluster_is_younger_than_all_that_were() -> None:
    exported, new, newer = stored("c", created="2999-12-31T23:59:59Z"), stored("a"), stored("b")
    assert [exported, new, newer] == sorted([newer, new, exported], key=lambda obj: obj.age_key)


def test_a_manifest_is_never_printed() -> None:
    secret = stored("a", manifest={"data": {"api-key": "aGY="}})
    assert "aGY=" not in repr(secret)
    assert "aGY=" not in repr(ClusterSnapshot(objects={"Secret": (secret,)}))


def test_a_version_stands_for_its_manifest_when_objects_are_compared() -> None:
    one = stored("a", manifest={"x": 1})
    assert one == dataclasses.replace(one, manifest={"x": 1, "y": 2})
    assert one != dataclasses.replace(one, version=2)


def test_it_can_not_be_changed() -> None:
    snapshot = ClusterSnapshot()
    with pytest.raises(TypeError):
        snapshot.objects["Secret"] = ()  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.absent_kinds = frozenset({"Secret"})  # type: ignore[misc]
