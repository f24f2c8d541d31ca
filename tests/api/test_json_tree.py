"""What YAML can say and JSON cannot is refused with its place, and nothing endless is walked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from wardgate.api.reading.json_tree import MAX_DEPTH, MAX_NODES, Flaw, find_flaw


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dt.datetime(2030, 1, 1, tzinfo=dt.UTC), "is of the YAML type datetime, which an object cannot hold; put it"),
        ({"a", "b"}, "is of the YAML type set"),
        (b"bytes", "is of the YAML type bytes"),
        (("a",), "is of the YAML type tuple"),
        (float("nan"), "is no finite number; put it in quotes"),
        (float("inf"), "is no finite number"),
        ("\ud800", "holds half of a surrogate pair"),
        ({5: "x"}, "has a key of the YAML type int; put the key in quotes"),
        ({None: "x"}, "has a key of the YAML type NoneType"),
        ({"\udfff": "x"}, "holds half of a surrogate pair"),
    ],
)
def test_value_that_json_lacks_is_found_with_its_place(value: object, words: str) -> None:
    flaw = find_flaw({"spec": {"list": [1, value]}})

    assert flaw is not None
    assert flaw.path == ("spec", "list", 1)
    assert flaw.complaint.startswith(words)


@pytest.mark.parametrize("value", [None, True, 7, 1.5, "text", "schlüssel", "\U0001f600", [], {}, [{"a": [1]}]])
def test_value_of_json_is_fine(value: object) -> None:
    assert find_flaw({"spec": value}) is None


def test_key_at_the_top_that_is_no_text_is_found() -> None:
    assert Flaw((), "has a key of the YAML type int; put the key in quotes") == find_flaw({5: "x"})  # type: ignore[dict-item]


def test_alias_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    flaw = find_flaw({"spec": endless})

    assert flaw is not None
    assert f"more than {MAX_DEPTH} levels" in flaw.complaint


def test_aliases_that_multiply_are_refused() -> None:
    bomb: list[Any] = ["x"] * 10
    for _ in range(30):
        bomb = [bomb] * 10

    flaw = find_flaw({"spec": bomb})

    assert flaw is not None
    assert f"more than {MAX_NODES} values" in flaw.complaint


def test_aliases_of_empty_lists_that_multiply_are_refused() -> None:
    bomb: list[Any] = []
    for _ in range(30):
        bomb = [bomb] * 10

    assert find_flaw({"spec": bomb}) is not None
