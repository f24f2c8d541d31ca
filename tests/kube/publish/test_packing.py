"""What is too large is found without compressing what need not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kube.publishing import bundle
from wardgate.kube.delivery.shards import MAX_GROUP, compress
from wardgate.kube.publish import packing
from wardgate.kube.publish.packing import OversizedGroup, Packer, TooLarge, share
from wardgate.wire.bundle import hash_of

RANDOM = "".join(hash_of(str(number).encode()) for number in range(100))


@pytest.fixture
def compressed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was compressed."""
    seen: list[bytes] = []

    def spy(data: bytes) -> bytes:
        seen.append(data)
        return compress(data)

    monkeypatch.setattr(packing, "compress", spy)
    return seen


def test_small_groups_are_not_compressed_to_be_measured(compressed: list[bytes]) -> None:
    assert () == Packer(max_shard=1000).oversized(bundle(routes="x" * 900), {})
    assert [] == compressed


def test_groups_in_force_are_not_compressed_to_be_measured(compressed: list[bytes]) -> None:
    large = bundle(routes=RANDOM)
    assert () == Packer(max_shard=100).oversized(large, large.hashes)
    assert [] == compressed


def test_measured_group_is_compressed_once(compressed: list[bytes]) -> None:
    packer = Packer(max_shard=5000)
    large = bundle(routes=RANDOM)
    assert () == packer.oversized(large, {})
    assert () == packer.oversized(large, {})
    assert compress(RANDOM.encode()) == packer.pack(RANDOM.encode(), large.hashes["routes"])
    assert [RANDOM.encode()] == compressed


def test_measured_group_is_forgotten_once_it_is_settled(compressed: list[bytes]) -> None:
    packer = Packer(max_shard=5000)
    large = bundle(routes=RANDOM)
    packer.oversized(large, {})
    packer.forget()
    packer.oversized(large, {})
    assert [RANDOM.encode()] * 2 == compressed


def test_oversized_group_is_told_with_its_size() -> None:
    found = Packer(max_shard=1000).oversized(bundle(routes=RANDOM, keys_000="small"), {})
    assert (OversizedGroup("routes", len(compress(RANDOM.encode())), 1000),) == found


def test_group_that_no_proxy_would_unpack_is_oversized_however_well_it_compresses() -> None:
    found = Packer().oversized(bundle(routes="x" * (MAX_GROUP + 1)), {})
    assert (OversizedGroup("routes", MAX_GROUP + 1, MAX_GROUP),) == found


def test_what_compresses_worst_fits_if_it_is_not_measured() -> None:
    """Bytes that gzip can only make longer, at the very size below which nobody looks."""
    worst = b"".join(bytes.fromhex(hash_of(str(number).encode())) for number in range(32 * 1024))
    limit = 512 * 1024
    size = next(size for size in range(limit, 0, -1) if size + size // 2000 + 64 <= limit)
    assert len(compress(worst[:size])) <= limit


def test_error_names_groups_and_sizes() -> None:
    error = TooLarge((OversizedGroup("keys-001", 12, 10), OversizedGroup("routes", 30, 20)))
    assert "Group keys-001 has 12 bytes of 10; Group routes has 30 bytes of 20." == str(error)


@pytest.mark.parametrize("count", [1, 7, 8])
def test_few_groups_share_nothing(count: int) -> None:
    sizes = {f"g{number}": 10 for number in range(count)}
    assert [(group,) for group in sizes] == list(share(sizes, shards=8, max_shard=1000))


@given(st.lists(st.integers(0, 1000), min_size=9, max_size=80))
def test_many_groups_are_all_in_at_most_so_many_shards(sizes: list[int]) -> None:
    named = {f"g{number}": size for number, size in enumerate(sizes)}
    shared = list(share(named, shards=8, max_shard=10**9))
    assert list(named) == [group for together in shared for group in together]
    assert len(shared) <= 8 or not any(sizes)


@given(st.lists(st.integers(0, 1000), max_size=80))
def test_no_shard_is_larger_than_it_may_be(sizes: list[int]) -> None:
    named = {f"g{number}": size for number, size in enumerate(sizes)}
    for together in share(named, shards=8, max_shard=1000):
        assert 0 < len(together)
        assert sum(named[group] for group in together) <= 1000
