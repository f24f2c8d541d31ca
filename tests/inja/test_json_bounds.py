"""A JSON text is weighed before it is parsed: never too light, and never refused within its limits."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.inja.budget import StepBudget
from wardgate.inja.errors import JsonTooComplexError, JsonTooLargeError, LimitError
from wardgate.inja.json_bounds import MEMORY_FACTOR, load, weigh
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.values import JsonValue

_MIB = 1024 * 1024
_TEXTS = st.text(alphabet='[]{},:"\\a\u00e9\U0001f600\n', max_size=8)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=30,
)


def _budget() -> StepBudget:
    return StepBudget(10**9)


def _load(text: bytes, **limits: int) -> JsonValue:
    return load(text, limits=TemplateLimits(**limits), meter=_budget()).value


def _count(value: JsonValue) -> int:
    """Number of values but the outermost, and of keys."""
    if isinstance(value, dict):
        return sum(2 + _count(member) for member in value.values())
    return sum(1 + _count(member) for member in value) if isinstance(value, list) else 0


def _depth(value: JsonValue) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)


@pytest.mark.no_cover
@settings(max_examples=500, deadline=None)
@given(value=_VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_text_within_its_limits_is_parsed_and_not_weighed_too_light(
    value: JsonValue, *, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    marks = text.count(b"[") + text.count(b"{") + text.count(b",") + text.count(b":")
    for values in (DEFAULT_LIMITS.json_values, _count(value) + max(0, _empty(value))):
        limits = TemplateLimits(json_values=values, value_depth=max(1, _depth(value)))
        assert value == load(text, limits=limits, meter=_budget()).value
        assert _count(value) <= weigh(text, limits=limits, meter=_budget()) <= marks


def _empty(value: JsonValue) -> int:
    """Number of containers without members: their bracket stands for no member."""
    if not isinstance(value, dict | list):
        return 0
    members = list(value.values() if isinstance(value, dict) else value)
    return 1 if not members else sum(map(_empty, members))


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None)
@given(value=_VALUES, ascii_only=st.booleans())
def test_text_beyond_a_limit_is_refused(value: JsonValue, *, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    if _count(value) > 1:
        with pytest.raises(JsonTooComplexError, match="values and keys"):
            _load(text, json_values=_count(value) - 1)
    if _depth(value) > 1:
        with pytest.raises(JsonTooComplexError, match="levels deep"):
            _load(text, value_depth=_depth(value) - 1)


@settings(max_examples=500, deadline=None)
@given(text=st.text(alphabet='[]{},:"\\1 a\0\ufeff', max_size=30).map(str.encode) | st.binary(max_size=30))
def test_arbitrary_text_has_the_outcome_that_it_has_without_limits(text: bytes) -> None:
    try:
        expected: JsonValue | str = loads_json(text)
    except JsonTextError as error:
        expected = str(error)
    for limits in (DEFAULT_LIMITS, TemplateLimits(json_values=40, value_depth=40)):
        try:
            actual: JsonValue | str = load(text, limits=limits, meter=_budget()).value
        except JsonTextError as error:
            actual = str(error)
        assert expected == actual


@pytest.mark.parametrize(
    "text",
    [
        b"[" * (4 * _MIB),
        b"[" * 100_000,
        b"[" * 257 + b"]" * 257,
        b'{"a":' * 257 + b"1" + b"}" * 257,
        b'[{"a":' * 129 + b"1" + b"}]" * 129,
        b"[" + b'"[[[",' * 300 + b"[" * 257,
    ],
)
def test_nesting_is_refused_before_anything_is_built(text: bytes) -> None:
    with pytest.raises(JsonTooComplexError, match=r"256 levels|50000 values"):
        _load(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"1," * 50_001 + b"1]",
        b"[" + b"{}," * 1_000_000 + b"1]",
        b"{" + b'"a":1,' * 30_000 + b'"b":1}',
        b"[" + b'"",' * 1_000_000 + b"1]",
        b"[" + b'"\\\\",' * 800_000 + b"1]",
    ],
)
def test_many_values_are_refused_before_anything_is_built(text: bytes) -> None:
    with pytest.raises(JsonTooComplexError, match="50000 values and keys"):
        _load(text)


@pytest.mark.parametrize("text", [b"[" + b'"",' * 1_000_000 + b"1]", b"[" + b'"\\\\",' * 800_000 + b"1]"])
def test_refusing_many_values_takes_no_memory_to_speak_of(text: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(JsonTooComplexError):
            _load(text)
        assert tracemalloc.get_traced_memory()[1] <= 3 * len(text)
    finally:
        tracemalloc.stop()


def test_what_looks_like_values_within_strings_does_not_count() -> None:
    text = json.dumps({"t": '[{,:"\\' * 100_000}).encode()
    assert _load(text) == json.loads(text)


def test_text_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(JsonTooLargeError, match="longer than 10 bytes"):
        load(b"[" * 11, limits=TemplateLimits(json_bytes=10), meter=StepBudget(0))


def test_what_stands_behind_a_nul_does_not_count() -> None:
    assert _load(b"[1]\0" + b"[" * 1_000_000) == [1]


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 24_900 + b"1]",
        b"[" + (b'{"a":' * 200 + b"1" + b"}" * 200 + b",") * 120 + b"1]",
        b"[" + (b"[" * 200 + b"]" * 200 + b",") * 240 + b"1]",
        b"{" + b",".join(b'"%x":1.5' % number for number in range(16_000)) + b"}",
        b"[" + b'"\xc3\xa9\xe4\xb8\xad",' * 49_000 + b"1]",
        b'"' + b"a" * (4 * _MIB - 2) + b'"',
        b'"' + b"\xc3\xa9" * (2 * _MIB - 1) + b'"',
        b'"' + b"a" * 3_800_000 + "\U0001f600".encode() + b'"',
        b'"' + b"\\n" * (2 * _MIB - 1) + b'"',
    ],
)
def test_parsing_takes_no_more_memory_than_eight_times_the_longest_text(text: bytes) -> None:
    tracemalloc.start()
    try:
        _load(text)
        assert tracemalloc.get_traced_memory()[1] <= MEMORY_FACTOR * DEFAULT_LIMITS.json_bytes
    finally:
        tracemalloc.stop()


def test_text_that_would_take_more_memory_is_refused_before_it_is_parsed() -> None:
    text = b'"' + b"a" * (4 * _MIB - 6) + "\U0001f600".encode() + b'"'
    with pytest.raises(JsonTooComplexError, match="33554432 bytes of memory"):
        _load(text)


@pytest.mark.parametrize(
    "text",
    [b"[" + b"1," * 49_000 + b"1]", b'"' + b"a" * _MIB + b'"', b'"' + b"\\n" * 1_000_000 + b'"'],
)
def test_parsing_is_charged_before_it_begins(text: bytes) -> None:
    budget = _budget()
    load(text, limits=DEFAULT_LIMITS, meter=budget)
    assert budget.spent > 8_000
    with pytest.raises(LimitError, match="steps of work"):
        load(text, limits=DEFAULT_LIMITS, meter=StepBudget(budget.spent - 1))


@pytest.mark.parametrize("text", [b'{"a": ["\\ud800"]}', b'[{"\\udc00": 1}]', b'["\\u0061", "\\ud83d"]'])
def test_lone_surrogate_is_refused_wherever_it_stands(text: bytes) -> None:
    with pytest.raises(JsonTextError, match="surrogate"):
        _load(text)
