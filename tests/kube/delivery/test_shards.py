"""A shard is the group that the index names, or nothing."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wardgate.kube.delivery.index import MAX_SEQUENCE, Manifest, ShardRef
from wardgate.kube.delivery.shards import (
    MAX_GROUP,
    ShardError,
    compress,
    read_shard,
    sequence_of,
    shard_manifest,
    shard_name,
)
from wardgate.wire.bundle import hash_of

GROUPS = st.sampled_from(["routes", "keys-017", "routes.3", "groups.0"])
GROUP = b'{"group":"keys","token":"provider-token"}'


def ref(data: bytes) -> ShardRef:
    return ShardRef("keys-000", "wardgate-keys-000-0123456789ab-1", len(compress(data)), hash_of(data))


def written(data: bytes) -> Manifest:
    entries = {"keys-000.gz": compress(data)}
    return shard_manifest(ref(data).name, entries, release="wardgate", namespace="wardgate-config")


def holding(content: bytes) -> Manifest:
    return {"data": {"keys-000.gz": base64.b64encode(content).decode()}}


@given(st.binary(max_size=2000))
def test_group_survives_writing_and_reading(data: bytes) -> None:
    assert data == read_shard(written(data), ref(data))


def test_same_bytes_are_compressed_to_the_same_bytes() -> None:
    assert compress(GROUP) == compress(GROUP)


def test_shard_cannot_be_changed_and_tells_its_size_in_its_metadata() -> None:
    manifest = written(GROUP)
    assert manifest["immutable"] is True
    assert {"wardgate.dev/size": str(len(compress(GROUP)))} == manifest["metadata"]["annotations"]
    assert {"wardgate.dev/release": "wardgate", "wardgate.dev/role": "shard"} == manifest["metadata"]["labels"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
@example(compress(GROUP)[:-1])
@example(compress(GROUP)[:20])
@example(compress(b"another group"))
@example(b"")
@example(zlib.compress(GROUP))
def test_any_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(ShardError):
        read_shard(holding(content), ref(GROUP))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_shard_is_refused_or_the_very_group(data: st.DataObject) -> None:
    content = bytearray(compress(GROUP))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + 1] = data.draw(st.binary(max_size=2))
    try:
        assert GROUP == read_shard(holding(bytes(content)), ref(GROUP))
    except ShardError:
        return


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"keys-000.gz": None}},
        {"data": {"keys-000.gz": 5}},
        {"data": {"keys-000.gz": "not base64"}},
        {"data": {"keys-000.gz": "ü"}},
    ],
)
def test_secret_of_another_shape_is_refused(secret: Manifest) -> None:
    with pytest.raises(ShardError):
        read_shard(secret, ref(GROUP))


def test_small_shard_that_unpacks_without_bound_is_refused() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    content = b"".join(bomb.compress(b"\0" * 1024 * 1024) for _ in range(MAX_GROUP // 1024 // 1024 + 1)) + bomb.flush()
    with pytest.raises(ShardError):
        read_shard(holding(content), ref(GROUP))


def test_error_names_the_shard_and_nothing_of_what_it_holds() -> None:
    with pytest.raises(ShardError, match="wardgate-keys-000-0123456789ab-1") as caught:
        read_shard(holding(compress(GROUP + b" ")), ref(GROUP))
    assert "provider-token" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    st.sampled_from(["wardgate", "my-release-1"]),
    GROUPS,
    st.integers(0, 10**15),
)
def test_sequence_is_read_from_a_name(release: str, group: str, sequence: int) -> None:
    name = shard_name(release, group, sha256=hash_of(b"x"), sequence=sequence)
    assert sequence == sequence_of(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "wardgate-index",
        "wardgate-state-1",
        "wardgate-routes-0123456789ab-",
        "wardgate-routes-0123456789AB-12",
        "wardgate-routes-0123456789ab-12x",
        f"wardgate-routes-0123456789ab-{MAX_SEQUENCE + 1}",
        "wardgate-routes-0123456789ab-" + "9" * 40,
    ],
)
def test_name_that_is_none_of_ours_has_no_sequence(name: str) -> None:
    assert 0 == sequence_of(name)
