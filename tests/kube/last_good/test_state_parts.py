"""The state's format: what is kept of an object, and that nothing else is ever read as one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wardgate.kube.last_good.state_parts import (
    MAX_OBJECT,
    MAX_PART,
    EncodedPart,
    StatePart,
    UnreadableStateError,
    decode_part,
    encode_part,
    merge,
    part_of,
)
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
STORED = st.builds(
    StoredObject,
    ref=st.builds(ObjectRef, st.sampled_from(["RouteTable", "ExtAuthPolicy"]), TEXT, TEXT),
    uid=TEXT,
    version=st.integers(),
    generation=st.integers(),
    created=TEXT,
    manifest=st.dictionaries(st.sampled_from(["spec", "apiVersion"]), JSON),
    is_lost=st.booleans(),
)


def stored(name: str = "one", *, version: int = 5, manifest: Mapping[str, object] | None = None) -> StoredObject:
    ref = ObjectRef("RouteTable", "team", name)
    return StoredObject(ref, f"uid-{name}", version, 2, "2026-01-01T00:00:00Z", manifest or {"kind": "RouteTable"})


def encoded(*objects: StoredObject) -> EncodedPart:
    return encode_part(objects, count=1, writer="operator-a")


def kept(manifest: Mapping[str, object]) -> Mapping[str, object]:
    (one,) = decode_part(encoded(stored(manifest=manifest)).data).objects
    return one.manifest


def manifests(objects: tuple[StoredObject, ...]) -> list[tuple[StoredObject, Mapping[str, object]]]:
    return [(one, one.manifest) for one in objects]


@settings(max_examples=150, deadline=None)
@given(st.lists(STORED, unique_by=lambda one: one.ref, max_size=4), st.sampled_from([1, 2, 4, 8, 16, 32]), TEXT)
def test_part_survives_writing_and_reading(objects: list[StoredObject], count: int, writer: str) -> None:
    part = decode_part(encode_part(objects, count=count, writer=writer).data)
    expected = tuple(sorted(objects, key=lambda one: one.ref))
    assert (count, writer) == (part.count, part.writer)
    assert manifests(expected) == manifests(part.objects)


@given(st.permutations([stored("a"), stored("b"), stored("c")]))
def test_order_changes_no_byte(objects: list[StoredObject]) -> None:
    assert encoded(stored("a"), stored("b"), stored("c")).data == encoded(*objects).data


def test_keys_of_a_manifest_keep_their_order() -> None:
    manifest = {"spec": {"b": 1, "a": {"z": 1, "y": 2}}, "kind": "RouteTable"}
    assert json.dumps(manifest) == json.dumps(kept(manifest))


def test_status_managed_fields_and_last_applied_are_not_kept() -> None:
    last_applied = "kubectl.kubernetes.io/last-applied-configuration"
    manifest = {
        "kind": "RouteTable",
        "metadata": {"name": "one", "managedFields": [{}], "annotations": {last_applied: "{}", "wardgate.dev/x": "y"}},
        "spec": {"status": "a field of this name elsewhere"},
        "status": {"common": {}},
    }
    expected = {
        "kind": "RouteTable",
        "metadata": {"name": "one", "annotations": {"wardgate.dev/x": "y"}},
        "spec": {"status": "a field of this name elsewhere"},
    }
    assert expected == kept(manifest)
    assert "status" in manifest


@pytest.mark.parametrize("metadata", [None, [], "text", {}, {"annotations": None}, {"annotations": []}])
def test_metadata_of_any_shape_is_kept(metadata: object) -> None:
    manifest = {"kind": "RouteTable", "metadata": metadata}
    assert manifest == kept(manifest)


@pytest.mark.parametrize(
    "secret",
    [
        replace(stored(), ref=ObjectRef("Secret", "team", "one")),
        stored(manifest={"kind": "Secret", "data": {"api-key": "c2VjcmV0"}}),
    ],
)
def test_secret_is_never_written(secret: StoredObject) -> None:
    with pytest.raises(ValueError, match="is a Secret"):
        encoded(secret)


def test_object_too_large_to_be_kept_is_named_and_the_rest_is_kept() -> None:
    large = stored("large", manifest={"kind": "RouteTable", "spec": "x" * MAX_OBJECT})
    part = encoded(large, stored("small"))
    assert (large.ref,) == part.left_out
    assert (stored("small"),) == decode_part(part.data).objects


def test_object_nested_beyond_reason_is_left_out() -> None:
    nested: dict[str, object] = {}
    for _ in range(100_000):
        nested = {"a": nested}
    deep = stored("deep", manifest={"kind": "RouteTable", "spec": nested})
    try:
        assert (deep.ref,) == encoded(deep).left_out
    finally:
        while nested:
            nested = nested.pop("a")  # type: ignore[assignment]


def test_size_is_that_of_the_bytes_in_clear() -> None:
    part = encoded(stored("a"), stored("b"))
    assert len(zlib.decompress(part.data)) == part.size


def test_format_of_the_first_release_is_read_for_ever() -> None:
    """As it was written when the format was fixed."""
    written = {
        "format": 1,
        "count": 2,
        "writer": "wardgate-operator-0",
        "objects": [
            {
                "kind": "ExtAuthPolicy",
                "namespace": "gateways",
                "name": "keys",
                "uid": "u-1",
                "version": 12,
                "generation": 3,
                "created": "2026-01-01T00:00:00Z",
                "manifest": {"kind": "ExtAuthPolicy", "spec": {"config": {}}},
                "unknown": "is left alone",
            }
        ],
    }
    part = decode_part(zlib.compress(json.dumps(written).encode()))
    assert (2, "wardgate-operator-0") == (part.count, part.writer)
    (one,) = part.objects
    expected = StoredObject(ObjectRef("ExtAuthPolicy", "gateways", "keys"), "u-1", 12, 3, "2026-01-01T00:00:00Z", {})
    assert expected == one
    assert {"kind": "ExtAuthPolicy", "spec": {"config": {}}} == one.manifest


CONTENT = json.loads(zlib.decompress(encoded(stored()).data))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"count": 3},
        {"count": 64},
        {"count": True},
        {"writer": None},
        {"objects": None},
        {"objects": [None]},
        {"objects": [{}]},
        {"objects": [{**CONTENT["objects"][0], "version": "5"}]},
        {"objects": [{**CONTENT["objects"][0], "uid": 5}]},
        {"objects": [{**CONTENT["objects"][0], "manifest": []}]},
        {"objects": [{**CONTENT["objects"][0], "kind": "Secret"}]},
        {"objects": [{**CONTENT["objects"][0], "manifest": {"kind": "Secret"}}]},
    ],
)
def test_part_of_another_shape_is_unreadable(change: dict[str, object]) -> None:
    with pytest.raises(UnreadableStateError):
        decode_part(zlib.compress(json.dumps({**CONTENT, **change}).encode()))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: zlib.compress(json.dumps(value).encode())))
@example(zlib.compress(b"[" * 100_000))
@example(zlib.compress(b"9" * 10_000))
@example(zlib.compress(b"\xff\xfe"))
@example(encoded(stored()).data[:-1])
@example(b"")
def test_any_other_bytes_are_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableStateError):
        decode_part(data)


def test_part_that_unpacks_without_bound_is_unreadable() -> None:
    bomb = zlib.compressobj(9)
    data = b"".join(bomb.compress(b" " * 1024 * 1024) for _ in range(MAX_PART // 1024 // 1024 + 1)) + bomb.flush()
    with pytest.raises(UnreadableStateError):
        decode_part(data)


def test_error_quotes_nothing_of_the_part() -> None:
    with pytest.raises(UnreadableStateError) as caught:
        decode_part(zlib.compress(b'{"format":1,"hmac-secret'))
    assert "hmac" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


def test_nothing_of_an_object_is_printed() -> None:
    one = stored(manifest={"kind": "RouteTable", "spec": "hmac-secret"})
    assert "hmac-secret" not in repr(StatePart(1, "w", (one,))) + repr(encoded(one))


@given(st.builds(ObjectRef, TEXT, TEXT, TEXT), st.sampled_from([1, 2, 4, 8, 16]))
def test_part_of_an_object_is_one_of_two_when_there_are_twice_as_many(ref: ObjectRef, count: int) -> None:
    number = part_of(ref, count)
    assert 0 <= number < count
    assert part_of(ref, 2 * count) in {number, number + count}


def test_newest_version_wins_whatever_part_it_is_in() -> None:
    old, new = stored(version=5), stored(version=9)
    assert {new.ref: new} == merge([StatePart(1, "a", (new,)), StatePart(1, "b", (old,))])
    assert {new.ref: new} == merge([StatePart(1, "b", (old,)), StatePart(1, "a", (new,))])


def test_merged_objects_are_sorted() -> None:
    merged = merge([StatePart(2, "a", (stored("b"),)), StatePart(2, "a", (stored("a"),))])
    assert ["a", "b"] == [ref.name for ref in merged]
