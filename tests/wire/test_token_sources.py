"""The group of token sources: a part that only a newer version knows closes the keys of its source alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.wire.samples import FULL, SOURCES
from tests.wire.walking import load, write
from wardgate.sensitive import Sensitive
from wardgate.wire import WireError, encode
from wardgate.wire.bundle import TOKENS
from wardgate.wire.encode import Encoder
from wardgate.wire.token_sources import decode_sources

START: Any = load(encode(FULL).groups[TOKENS])
MISTRAL, OPENAI = START["token_sources"]


def group(*sources: object, **parts: object) -> bytes:
    return write({**START, "token_sources": list(sources), **parts})


def test_source_with_an_unknown_field_is_left_out() -> None:
    assert (SOURCES[1],) == decode_sources(group({**MISTRAL, "newer": 1}, OPENAI))
    entries = [{**MISTRAL["metadata"][0], "newer": 1}]
    assert (SOURCES[1],) == decode_sources(group({**MISTRAL, "metadata": entries}, OPENAI))


def test_all_are_left_out_where_the_group_has_an_unknown_part() -> None:
    assert () == decode_sources(group(MISTRAL, OPENAI, newer=1))
    assert SOURCES == decode_sources(group(MISTRAL, OPENAI, info_note=1))


@pytest.mark.parametrize("wrong", [1, "x", [], {}, {**MISTRAL, "name": 1} if MISTRAL else None])
def test_what_is_no_source_is_an_error(wrong: object) -> None:
    with pytest.raises(WireError):
        decode_sources(group(wrong))


def test_new_token_rewrites_its_group_and_nothing_else() -> None:
    encoder = Encoder()
    before = encoder.encode(FULL)
    rotated = replace(SOURCES[0].metadata[0], value=Sensitive("new"))
    after = encoder.encode(replace(FULL, token_sources=(replace(SOURCES[0], metadata=(rotated,)), SOURCES[1])))
    assert {TOKENS} == {name for name, digest in after.hashes.items() if digest != before.hashes[name]}


def test_no_sources_make_no_group() -> None:
    encoder = Encoder()
    encoder.encode(FULL)
    assert TOKENS not in encoder.encode(replace(FULL, token_sources=())).groups
