"""The inverted index: right, and no dearer than the rarest label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.translate.incremental.label_index import LabelIndex

_PAIRS = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))


def index_of(items: Iterable[Sequence[tuple[str, str]]]) -> LabelIndex[int]:
    return LabelIndex(enumerate(items))


def test_item_that_carries_all_labels_is_found() -> None:
    index = index_of([[("a", "x")], [("a", "x"), ("b", "y")], [("b", "y")]])
    assert [1] == index.carrying([("a", "x"), ("b", "y")])


def test_no_labels_are_met_by_every_item() -> None:
    assert [0, 1] == index_of([[], [("a", "x")]]).carrying([])


def test_unknown_label_finds_nothing() -> None:
    assert [] == index_of([[("a", "x")]]).carrying([("a", "z")])


def test_item_with_two_values_of_one_label_carries_both() -> None:
    index = index_of([[("a", "x"), ("a", "y")]])
    assert [0] == index.carrying([("a", "x"), ("a", "y")])


def test_items_are_counted() -> None:
    assert 2 == len(index_of([[], []]))


def test_lookup_examines_only_carriers_of_the_rarest_label() -> None:
    index = index_of([[("all", "1"), ("number", str(number))] for number in range(1000)])
    index.carrying([("all", "1"), ("number", "7")])
    assert 1 == index.examined


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_PAIRS, max_size=4), max_size=8), st.lists(_PAIRS, max_size=3))
def test_finds_what_asking_every_item_finds(items: list[list[tuple[str, str]]], wanted: list[tuple[str, str]]) -> None:
    expected = [number for number, labels in enumerate(items) if set(wanted) <= set(labels)]
    assert expected == index_of(items).carrying(wanted)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(_PAIRS, max_size=4, unique=True), max_size=8),
    st.lists(st.lists(_PAIRS, max_size=4, unique=True), max_size=4),
    st.sets(st.integers(0, 7)),
    st.lists(_PAIRS, max_size=3),
)
def test_changed_index_is_like_a_new_one(
    before: list[list[tuple[str, str]]],
    added: list[list[tuple[str, str]]],
    removed: set[int],
    wanted: list[tuple[str, str]],
) -> None:
    old = dict(enumerate(before))
    new = dict(enumerate(added, start=100))
    index = LabelIndex(old.items())
    expected = index.carrying(wanted)
    gone = {number: labels for number, labels in old.items() if number in removed}
    left = {number: labels for number, labels in old.items() if number not in removed}
    changed = index.after(gone.items(), new.items())
    assert LabelIndex({**left, **new}.items()).carrying(wanted) == changed.carrying(wanted)
    assert (len(left) + len(new), expected) == (len(changed), index.carrying(wanted))
