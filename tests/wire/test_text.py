"""Canonical JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.strategies import ANY_TEXT
from wardgate.wire import EncodeError, WireError
from wardgate.wire.text import dump, parse


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert parse(dump({text: [text]})) == {text: [text]}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_as_it_was(number: float) -> None:
    assert parse(dump(number)) == number


def test_it_is_compact_and_escapes_only_what_it_must() -> None:
    assert dump({"b": [1, True, None], "a": 'é"\n\x7f'}) == '{"b":[1,true,null],"a":"é\\"\\n\x7f"}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_can_not_say_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        dump(value)


@pytest.mark.parametrize(
    "data", [b"NaN", b"-Infinity", b'{"a":1,"a":1}', b"1 2", b"'a'", b"\xff", b"\xef\xbb\xbf{}", b"{}\x00", b"01"]
)
def test_what_is_not_strict_json_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        parse(data)
