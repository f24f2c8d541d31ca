"""The index keeps its format for ever, and nothing but a whole one is ever read from a Secret."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wardgate.kube.delivery.index import (
    MAX_SEQUENCE,
    MAX_SHARDS,
    Index,
    ShardRef,
    UnreadableIndexError,
    index_manifest,
    read_index,
)
from wardgate.wire.bundle import revision_of

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
GROUPS = st.lists(
    st.builds(ShardRef, group=TEXT, name=TEXT, size=st.integers(0, 10**9), sha256=TEXT, uid=TEXT),
    unique_by=lambda one: one.group,
    max_size=4,
)


@st.composite
def shards(draw: st.DrawFn) -> list[ShardRef]:
    """Some groups, some of them in parts."""
    found = []
    for one in draw(GROUPS):
        parts = draw(st.lists(TEXT, max_size=3))
        whole = draw(TEXT.filter(bool))
        found += [replace(one, sha256=sha256, whole=whole) for sha256 in parts] or [one]
    return found


SHARDS = shards()
JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def index_of(shards: list[ShardRef], *, schema: str = "1.0", sequence: int = 7) -> Index:
    ordered = tuple(sorted(shards, key=lambda one: one.group))
    hashes = {one.group: one.whole or one.sha256 for one in ordered}
    revision = revision_of(schema=schema, hashes=hashes)
    return Index(schema, revision, sequence, "operator-a", "2026-01-01T00:00:00Z", ordered)


IN_PARTS = index_of(
    [
        ShardRef("keys-017", "wardgate-keys-017-bbbbbbbbbbbb-2", 6, "b" * 64, "u"),
        ShardRef("routes", "wardgate-routes.0-0123456789ab-7", 12, "1" * 64, "uid-1", "a" * 64),
        ShardRef("routes", "wardgate-routes.1-0123456789ab-7", 13, "2" * 64, "uid-2", "a" * 64),
        ShardRef("routes", "wardgate-routes.0-0123456789ab-7", 12, "1" * 64, "uid-1", "a" * 64),
    ]
)
SAMPLE = index_of([ShardRef("routes", "wardgate-routes-0123456789ab-7", 12, "ab" * 32, "uid-1")])


def secret(content: object) -> dict[str, Any]:
    return {"data": {"index.json": base64.b64encode(json.dumps(content).encode()).decode()}}


def content_of(index: Index) -> dict[str, Any]:
    manifest = index_manifest(index, release="wardgate", namespace="wardgate-config")
    content = json.loads(base64.b64decode(manifest["data"]["index.json"]))
    assert isinstance(content, dict)
    return content


@given(SHARDS, TEXT, st.integers(0, MAX_SEQUENCE))
def test_index_survives_writing_and_reading(shards: list[ShardRef], schema: str, sequence: int) -> None:
    index = index_of(shards, schema=schema, sequence=sequence)
    assert index == read_index(index_manifest(index, release="wardgate", namespace="wardgate-config"))


def test_tenancy_is_told_and_an_unreadable_one_costs_nothing() -> None:
    told = replace(SAMPLE, tenancy="isolated", platform=("a", "b"))
    assert told == read_index(index_manifest(told, release="wardgate", namespace="wardgate-config"))
    assert not {"tenancy", "platform"} & content_of(SAMPLE).keys()
    assert SAMPLE == read_index(secret(content_of(SAMPLE) | {"tenancy": 5, "platform": "a"}))


def test_format_of_the_first_release_is_read_for_ever() -> None:
    """As it was written when the format was fixed; ``uid`` may be missing."""
    hashes = {"keys-017": "b" * 64, "routes": "a" * 64}
    written = {
        "format": 1,
        "schema": "1.0",
        "revision": revision_of(schema="1.0", hashes=hashes),
        "sequence": 1764000000000,
        "writer": "wardgate-operator-0",
        "verifiedAt": "2026-01-01T00:00:00Z",
        "shards": [
            {"group": "routes", "name": "wardgate-routes-aaaaaaaaaaaa-1", "size": 5, "sha256": "a" * 64},
            {
                "group": "keys-017",
                "name": "wardgate-keys-017-bbbbbbbbbbbb-2",
                "size": 6,
                "sha256": "b" * 64,
                "uid": "u",
            },
        ],
        "unknown": "is left alone",
    }
    index = read_index(secret(written))
    assert (
        ShardRef("keys-017", "wardgate-keys-017-bbbbbbbbbbbb-2", 6, "b" * 64, "u"),
        ShardRef("routes", "wardgate-routes-aaaaaaaaaaaa-1", 5, "a" * 64),
    ) == index.shards
    assert (1764000000000, "wardgate-operator-0") == (index.sequence, index.writer)
    assert hashes == index.hashes


def test_parts_of_the_first_release_are_read_for_ever() -> None:
    """As they were written when the format was fixed: in their order, one of them twice, with the hash of the whole."""
    hashes = {"routes": "a" * 64}
    parts = [
        {
            "group": "routes",
            "name": f"wardgate-routes.{n}-aaaaaaaaaaaa-1",
            "size": 5,
            "sha256": n * 64,
            "uid": "u",
            "whole": "a" * 64,
        }
        for n in "919"
    ]
    written = {**content_of(SAMPLE), "revision": revision_of(schema="1.0", hashes=hashes), "shards": parts}
    index = read_index(secret(written))
    assert hashes == index.hashes
    assert ["9" * 64, "1" * 64, "9" * 64] == [one.sha256 for one in index.groups["routes"]]
    assert parts == content_of(index)["shards"]


def test_group_in_one_piece_is_written_without_a_word_of_parts() -> None:
    assert {"group", "name", "size", "sha256", "uid"} == set(content_of(SAMPLE)["shards"][0])


@pytest.mark.parametrize("wholes", ["ab", ["a", ""], ["", "a"], ["", ""]])
def test_parts_of_several_wholes_are_unreadable(wholes: list[str]) -> None:
    (entry,) = content_of(SAMPLE)["shards"]
    for last in wholes:
        revision = revision_of(schema="1.0", hashes={"routes": last or entry["sha256"]})
        change = {"revision": revision, "shards": [{**entry, "whole": one} for one in wholes]}
        with pytest.raises(UnreadableIndexError):
            read_index(secret({**content_of(SAMPLE), **change}))


def test_version_is_a_precondition_only_if_there_is_one() -> None:
    new = index_manifest(SAMPLE, release="wardgate", namespace="wardgate-config")
    changed = index_manifest(SAMPLE, release="wardgate", namespace="wardgate-config", resource_version="12")
    assert "resourceVersion" not in new["metadata"]
    assert "12" == changed["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"schema": "1.1"},
        {"revision": "0" * 64},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": 1.5},
        {"sequence": MAX_SEQUENCE + 1},
        {"writer": None},
        {"verifiedAt": 5},
        {"shards": None},
        {"shards": {}},
        {"shards": [[]]},
        {"shards": content_of(SAMPLE)["shards"] * 2},
        {"shards": content_of(SAMPLE)["shards"] * (MAX_SHARDS + 1)},
        {"shards": [{**content_of(SAMPLE)["shards"][0], "uid": 5}]},
        {"shards": [{**content_of(SAMPLE)["shards"][0], "whole": None}]},
        {"shards": [{**content_of(SAMPLE)["shards"][0], "whole": "f" * 64}]},
    ],
)
def test_index_that_is_not_whole_is_unreadable(change: dict[str, object]) -> None:
    with pytest.raises(UnreadableIndexError):
        read_index(secret({**content_of(SAMPLE), **change}))


@pytest.mark.parametrize("field", sorted(content_of(SAMPLE)))
def test_index_without_a_field_is_unreadable(field: str) -> None:
    content = content_of(SAMPLE)
    del content[field]
    with pytest.raises(UnreadableIndexError):
        read_index(secret(content))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b"9" * 10_000)
def test_any_content_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableIndexError):
        read_index({"data": {"index.json": base64.b64encode(content).decode()}})


@settings(max_examples=200, deadline=None)
@given(JSON)
@example({"index.json": "not base64"})
@example({"index.json": "ü"})
@example({"index.json": 5})
def test_any_data_is_unreadable(data: object) -> None:
    with pytest.raises(UnreadableIndexError):
        read_index({"data": data})


def test_secret_without_data_is_unreadable() -> None:
    with pytest.raises(UnreadableIndexError):
        read_index({})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_index_is_unreadable_or_whole(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from([SAMPLE, IN_PARTS]))
    content = bytearray(json.dumps(content_of(sample)).encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + 1] = data.draw(st.binary(max_size=2))
    try:
        index = read_index({"data": {"index.json": base64.b64encode(bytes(content)).decode()}})
    except UnreadableIndexError:
        return
    assert index.revision == revision_of(schema=index.schema, hashes=index.hashes)
    assert index.hashes == sample.hashes
