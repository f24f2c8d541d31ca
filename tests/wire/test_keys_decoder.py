"""Buckets of keys, one after another: decoded as if each were the first, and what did not change is taken over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.samples import FULL
from tests.wire.test_corruption import mutations
from tests.wire.walking import load, pretty, write
from wardgate import ir
from wardgate.wire import WireError, encode
from wardgate.wire.decode import DecodedKeys, KeysDecoder, decode_credentials

START: Any = load(next(data for data in encode(FULL).groups.values() if b"key-ann" in data))
ANN: Any = START["credentials"][0]
OTHERS: Any = [{"digest": f"{n:064x}", "key_set": "s", "name": f"key-{n}", "namespace": "n"} for n in range(4)]


def bucket(*credentials: object, **parts: object) -> bytes:
    return write({**START, "credentials": list(credentials), **parts})


def outcome(data: bytes, decoder: KeysDecoder[ir.Credential] | None = None) -> DecodedKeys[ir.Credential] | str:
    try:
        return decode_credentials(data) if decoder is None else decoder.decode("keys-000", data)
    except WireError as error:
        return str(error)


def decoder() -> KeysDecoder[ir.Credential]:
    return KeysDecoder(lambda one: one)


POOL: Any = [
    ANN,
    *OTHERS,
    {**OTHERS[0], "name": "renamed"},
    {**OTHERS[0], "newer": 1},
    {**OTHERS[0], "expires_at": 1},
    {**OTHERS[0], "expires_at": True},
    {**OTHERS[0], "expires_at": "1"},
    {**OTHERS[1], "metadata": [{"name": '"},{"digest":"', "value": "}]"}]},
    {"digest": 1},
    5,
]
written = st.lists(st.sampled_from(POOL), max_size=6).map(lambda chosen: bucket(*chosen))
buckets = st.one_of(
    written,
    written.flatmap(mutations),
    st.sampled_from([bucket(*OTHERS, info_x=1), bucket(*OTHERS, newer=1), pretty(load(bucket(*OTHERS))).encode()]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(buckets, min_size=1, max_size=6))
def test_any_history_is_decoded_as_if_there_were_none(history: list[bytes]) -> None:
    remembering = decoder()
    for data in history:
        assert outcome(data) == outcome(data, remembering)


def test_what_did_not_change_is_the_same_object_again_wherever_it_stands() -> None:
    remembering = decoder()
    first = remembering.decode("keys-000", bucket(*OTHERS)).credentials
    changed = {**OTHERS[1], "name": "renamed"}
    second = remembering.decode("keys-000", bucket(ANN, OTHERS[0], changed, OTHERS[3], OTHERS[2])).credentials
    assert [True, True, True] == [second[1] is first[0], second[3] is first[3], second[4] is first[2]]
    assert ("renamed", "key-ann") == (second[2].name, second[0].name)


def test_each_credential_is_made_once() -> None:
    made: list[str] = []
    remembering = KeysDecoder(lambda one: made.append(one.name))
    for credentials in (OTHERS, [*OTHERS, ANN], OTHERS):
        remembering.decode("keys-000", bucket(*credentials))
    assert ["key-0", "key-1", "key-2", "key-3", "key-ann"] == made


def test_new_credentials_are_made_in_steps_and_those_that_are_known_cost_none() -> None:
    many: Any = [{"digest": f"{n:064x}", "key_set": "s", "name": f"key-{n}", "namespace": "n"} for n in range(1000)]
    remembering = decoder()
    assert 1000 // 128 == len(list(remembering.steps("keys-000", bucket(*many))))
    assert [] == list(remembering.steps("keys-000", bucket(*many[1:], ANN)))


def test_buckets_are_remembered_by_name_until_they_are_not_kept() -> None:
    made: list[str] = []
    remembering = KeysDecoder(lambda one: made.append(one.name))
    remembering.decode("keys-000", bucket(OTHERS[0]))
    remembering.decode("keys-001", bucket(OTHERS[1]))
    remembering.keep({"keys-001"})
    remembering.decode("keys-000", bucket(OTHERS[0]))
    remembering.decode("keys-001", bucket(OTHERS[1]))
    assert ["key-0", "key-1", "key-0"] == made


def test_a_number_does_not_pass_for_a_truth_value_because_it_was_there_before() -> None:
    remembering = decoder()
    remembering.decode("keys-000", bucket({**OTHERS[0], "expires_at": 1}))
    with pytest.raises(WireError):
        remembering.decode("keys-000", bucket({**OTHERS[0], "expires_at": True}))
