"""Reading by parts gives what plain reading gives, and refuses what it refuses."""

from __future__ import annotations

import typing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.wire.histories import histories
from wardgate.wire import WireError
from wardgate.wire.lenient import SHAPE
from wardgate.wire.parts_reader import Part, Shape, read_parts
from wardgate.wire.text import dump, parse

TINY: Shape = {"a": {"a": {}}}
"""A shape for which a few characters already make parts within parts."""


def whole(value: object) -> object:
    """JSON without its division into parts."""
    if isinstance(value, Part):
        return whole(value.value)
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items()}
    return [whole(part) for part in value] if isinstance(value, list) else value


def plain(data: bytes) -> object:
    try:
        return parse(data)
    except WireError as error:
        return str(error)


def by_parts(data: bytes, last: Part | None) -> tuple[object, Part | None]:
    try:
        part = read_parts(data, TINY, last=last)
    except WireError as error:
        return str(error), last
    return whole(part), part


def parts_of(part: Part) -> list[Part]:
    return list(typing.cast("dict[str, list[Part]]", part.value)["a"])


VALUES = st.recursive(
    st.sampled_from([1, 12, 1.5, "", '"}', "]", None, True]),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        st.lists(inner, max_size=3),
        st.fixed_dictionaries({"a": st.lists(inner, max_size=4)}),
    ),
    max_leaves=12,
)
TEXTS = st.text('{}[]",:a012 e.-n', max_size=14).map(lambda text: f'{{"a":[{text}]}}'.encode())


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(VALUES.map(dump), TEXTS), min_size=1, max_size=4))
@example([b'{"a":[1]}', b'{"a":[12]}', b'{"a":[1,1]}'])
@example([b'{"a":[{"a":1,"a":2}]}'])
@example([b'{"a":[{}]}', b'{"a":[{},{}]}', b'{"a":[{},]}', b'{"a":[,{}]}', b"{,}", b"}", b'{"a":[]'])
@example([b"{1:[]}", b'{"a" :[]}', b'{"a":[]} ', b'{"a":[NaN]}', b"\xff", b'{"a":[{"b":[{"c":0,"c":0}]}]}'])
def test_any_sequence_of_bytes_is_read_as_each_would_be_plainly(sequence: list[bytes]) -> None:
    last: Part | None = None
    for data in sequence:
        read, last = by_parts(data, last)
        assert plain(data) == read


@settings(max_examples=30, deadline=None)
@given(histories())
def test_groups_are_read_as_they_would_be_plainly(history: list[bytes]) -> None:
    last: Part | None = None
    for data in history:
        last = read_parts(data, SHAPE, last=last)
        assert parse(data) == whole(last)


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ("[1,2,3,4]", "1234"),
        ("[0,1,2,3,4]", "1234"),
        ("[8,9,0,1,2,3,4]", "1234"),
        ("[2,3,4]", "234"),
        ("[4]", "4"),
        ("[4,3,2,1]", "1234"),
        ("[1,9,3,4]", "134"),
        ("[1,8,9,4]", "14"),
        ("[]", ""),
    ],
)
def test_parts_that_stand_there_again_are_taken_over(after: str, same: str) -> None:
    def group(numbers: str) -> bytes:
        return b'{"a":' + numbers.replace("[", '[{"n":').replace(",", '},{"n":').replace("]", "}]").encode() + b"}"

    first = read_parts(group("[1,2,3,4]"), TINY)
    second = read_parts(b'{"a":[]}' if after == "[]" else group(after), TINY, last=first)
    taken = [one.text for one in parts_of(second) if any(one is other for other in parts_of(first))]
    assert sorted(taken) == [f'{{"n":{number}}}' for number in same]


def test_parts_of_a_changed_part_are_taken_over() -> None:
    first = read_parts(b'{"a":[{"a":[1,2],"b":1},{"a":[3,4],"b":1},{"a":[5,6],"b":1}]}', TINY)
    second = read_parts(b'{"a":[{"a":[1,2],"b":2},{"a":[3,4],"b":2},{"a":[5,6],"b":1}]}', TINY, last=first)
    for one, other in zip(parts_of(first), parts_of(second), strict=True):
        assert all(a is b for a, b in zip(parts_of(one), parts_of(other), strict=True))


def test_what_is_made_of_a_part_is_made_once_and_its_json_dropped() -> None:
    part = read_parts(b'{"b":1}', TINY)
    made = part.once(lambda value: [value])
    assert made == [{"b": 1}]
    assert part.once(lambda value: [value]) is made
    assert part.value is None


def test_a_part_of_which_nothing_could_be_made_is_tried_again() -> None:
    part = read_parts(b'{"b":1}', TINY)
    with pytest.raises(ZeroDivisionError):
        part.once(lambda _: 1 // 0)
    assert part.once(lambda value: value) == {"b": 1}


def test_a_part_shows_nothing_of_what_it_holds() -> None:
    assert "secret" not in repr(read_parts(b'{"b":"secret"}', TINY))
