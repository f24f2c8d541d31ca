"""How groups are cut, and how what is cut shares shards."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kube.published import routes_of
from wardgate.kube.delivery.shards import MAX_SHARD, compress
from wardgate.kube.publish.packing import MAX_PART, Piece, cut, cuts, share
from wardgate.wire.bundle import hash_of

MOST = 2000
OBJECTS = st.lists(st.binary(max_size=300), max_size=60).map(lambda some: b",".join(b"{%b}" % one for one in some))


def parts(data: bytes, *, most: int = MOST) -> list[bytes]:
    return [data[one.start : one.end] for one in cut(data, group="routes", sha256=hash_of(data), most=most)]


@given(OBJECTS | st.binary(max_size=9000))
@example(b"")
@example(b"x" * MOST)
@example(b"x" * (MOST + 1))
@example(b"},{" * 5000)
def test_parts_in_their_order_are_the_group(data: bytes) -> None:
    assert data == b"".join(parts(data))


@given(OBJECTS | st.binary(max_size=9000))
@example(b"},{" * 5000)
@example(b"x" * 9000)
def test_no_content_makes_parts_small_or_large(data: bytes) -> None:
    sizes = [end - start for start, end in cuts(data, most=MOST)]
    assert all(MOST // 4 <= size <= MOST for size in sizes[:-1])
    assert sizes[-1] <= MOST


def test_group_that_is_small_enough_is_not_cut() -> None:
    data = routes_of(5)
    assert (Piece("routes", 0, len(data), hash_of(data)),) == cut(data, group="routes", sha256=hash_of(data))


def test_cut_is_made_between_objects_where_there_are_any() -> None:
    data = routes_of(6000)
    *whole, _ = parts(data, most=100_000)
    assert len(whole) > 4
    assert all(one.endswith(b"}") for one in whole)


@pytest.mark.parametrize("place", [3, 1000, 2000, 5990])
@pytest.mark.parametrize("change", ["changed", "removed", "added"])
def test_change_of_one_route_leaves_the_other_parts_what_they_were(place: int, change: str) -> None:
    before = set(parts(routes_of(6000), most=100_000))
    after = parts(routes_of(6000, **{change: place}), most=100_000)
    assert len(after) > 4
    assert len(set(after) - before) <= 2


def test_part_that_compresses_worst_fits_a_shard() -> None:
    assert len(compress(Random(1).randbytes(MAX_PART))) < MAX_SHARD


def test_part_is_named_by_its_hash_and_a_whole_group_by_its_name() -> None:
    data = routes_of(100)
    assert ("routes.gz",) == tuple(one.entry for one in cut(data, group="routes", sha256=hash_of(data)))
    assert [f"routes.{hash_of(part)}.gz" for part in parts(data)] == [
        one.entry for one in cut(data, group="routes", sha256=hash_of(data), most=MOST)
    ]


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
