"""Which Secrets count as shards."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.kube.delivery.index import ShardRef
from wardgate.kube.delivery.shards import MAX_SHARD
from wardgate.kube.publish.inventory import Inventory, StoredShard

NAME = "wardgate-keys-017-0123456789ab-1764000000000"
LABELS = {"wardgate.dev/release": "wardgate", "wardgate.dev/role": "shard"}


def metadata(name: str = NAME, *, size: object = "123", labels: object = LABELS) -> dict[str, Any]:
    return {"name": name, "uid": "uid-1", "labels": labels, "annotations": {"wardgate.dev/size": size}}


def ref(name: str = NAME, *, uid: str = "uid-1") -> ShardRef:
    return ShardRef("keys-017", name, 123, "ab", uid)


def inventory(*items: dict[str, Any]) -> Inventory:
    made = Inventory("wardgate")
    made.replace(items)
    return made


def test_shard_is_held_with_its_size_and_sequence() -> None:
    made = inventory(metadata())
    assert (StoredShard(NAME, "uid-1", 123),) == made.shards
    assert 1764000000000 == made.highest
    assert made.holds(ref())


def test_other_secret_under_the_name_is_another_shard() -> None:
    assert not inventory(metadata()).holds(ref(uid="uid-2"))


def test_shard_whose_uid_nobody_noted_counts_by_its_name() -> None:
    assert inventory(metadata()).holds(ref(uid=""))


@pytest.mark.parametrize(
    "labels",
    [
        None,
        {},
        {**LABELS, "wardgate.dev/release": "other"},
        {**LABELS, "wardgate.dev/role": "index"},
        {**LABELS, "wardgate.dev/role": "state"},
    ],
)
def test_what_is_not_labelled_as_our_shard_does_not_count(labels: object) -> None:
    made = inventory(metadata())
    made.take(metadata(labels=labels))
    assert () == made.shards


@pytest.mark.parametrize("size", [None, "", "x", "-1", "1.5", "٣", "9" * 40])
def test_unreadable_size_counts_as_the_largest(size: object) -> None:
    assert MAX_SHARD == inventory(metadata(size=size)).shards[0].size


def test_shard_without_annotations_counts_as_the_largest() -> None:
    bare = {"name": NAME, "uid": "uid-1", "labels": LABELS}
    assert MAX_SHARD == inventory(bare).shards[0].size


def test_list_replaces_everything_but_what_was_the_highest_sequence() -> None:
    made = inventory(metadata())
    made.replace([metadata("wardgate-routes-0123456789ab-5")])
    assert ["wardgate-routes-0123456789ab-5"] == [one.name for one in made.shards]
    assert 1764000000000 == made.highest


def test_deletion_is_taken_even_of_what_was_not_known() -> None:
    made = inventory(metadata())
    made.remove(NAME)
    made.remove(NAME)
    assert () == made.shards


def test_what_was_created_since_the_list_began_is_kept() -> None:
    made = inventory(metadata())
    made.add(StoredShard("before", "uid-2", 1))
    made.begin()
    made.add(StoredShard("meanwhile", "uid-3", 1))
    made.add(StoredShard("deleted-again", "uid-4", 1))
    made.remove("deleted-again")
    made.replace([])
    assert ["meanwhile"] == [one.name for one in made.shards]
