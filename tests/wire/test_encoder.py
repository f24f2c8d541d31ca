"""Groups, buckets, hashes and what is not encoded twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from tests.wire.samples import FULL
from wardgate import ir
from wardgate.wire import Bundle, EncodeError, Encoder, decode_credentials, encode, revision_of
from wardgate.wire.record import MAX_DEPTH

MANY = tuple(ir.Credential("set", hashlib.sha256(bytes([n])).hexdigest(), "apps", f"key-{n}") for n in range(256))
CONFIG = replace(FULL, credentials=MANY)


def changed_groups(before: Bundle, after: Bundle) -> set[str]:
    names = before.groups.keys() | after.groups.keys()
    return {name for name in names if before.hashes.get(name) != after.hashes.get(name)}


def test_one_changed_credential_changes_one_group_and_the_revision() -> None:
    encoder = Encoder()
    before = encoder.encode(CONFIG)
    after = encoder.encode(replace(CONFIG, credentials=(*MANY[:9], replace(MANY[9], expires_at=1), *MANY[10:])))
    assert len(changed_groups(before, after)) == 1
    assert before.revision != after.revision


def test_a_changed_route_changes_only_the_routes() -> None:
    encoder = Encoder()
    before = encoder.encode(CONFIG)
    assert changed_groups(before, encoder.encode(replace(CONFIG, listeners=()))) == {"routes"}


def test_an_unchanged_group_is_not_encoded_again() -> None:
    encoder = Encoder()
    before = encoder.encode(CONFIG)
    after = encoder.encode(replace(CONFIG, credentials=MANY[:-1]))
    again = [name for name in after.groups if after.groups[name] is not before.groups[name]]
    assert {*again} <= changed_groups(before, after)
    assert len(again) <= 1


def test_an_encoder_with_a_past_writes_what_a_new_one_writes() -> None:
    encoder = Encoder()
    encoder.encode(FULL)
    encoder.encode(ir.GatewayConfig())
    encoder.encode(CONFIG)
    assert encoder.encode(FULL) == encode(FULL)


def test_a_bucket_that_becomes_empty_is_left_out() -> None:
    encoder = Encoder()
    encoder.encode(CONFIG)
    assert list(encoder.encode(replace(CONFIG, credentials=())).groups) == ["routes"]


def test_the_revision_is_the_same_for_the_same_content() -> None:
    assert encode(FULL).revision == encode(replace(FULL)).revision


def test_the_revision_depends_on_the_schema_and_on_each_group() -> None:
    revisions = {
        revision_of(schema="1.0", hashes={"a": "1", "b": "2"}),
        revision_of(schema="1.1", hashes={"a": "1", "b": "2"}),
        revision_of(schema="1.0", hashes={"a": "2", "b": "1"}),
        revision_of(schema="1.0", hashes={"a": "1"}),
    }
    assert len(revisions) == 4


def test_the_order_of_the_hashes_does_not_matter_to_the_revision() -> None:
    assert revision_of(schema="1.0", hashes={"a": "1", "b": "2"}) == revision_of(
        schema="1.0", hashes={"b": "2", "a": "1"}
    )


def test_hashes_are_the_sha256_of_the_groups() -> None:
    bundle = encode(FULL)
    assert dict(bundle.hashes) == {name: hashlib.sha256(data).hexdigest() for name, data in bundle.groups.items()}


@pytest.mark.parametrize("buckets", [1, 2, 64, 512])
def test_every_credential_is_in_one_of_the_buckets(buckets: int) -> None:
    groups = Encoder(buckets=buckets).encode(CONFIG).groups
    keys = {name: data for name, data in groups.items() if name != "routes"}
    assert set(keys) <= {f"keys-{number:03}" for number in range(buckets)}
    found = [one for data in keys.values() for one in decode_credentials(data).credentials]
    assert sorted(found, key=lambda one: one.digest) == sorted(MANY, key=lambda one: one.digest)


def test_credentials_are_spread_over_the_buckets() -> None:
    sizes = [len(data) for name, data in Encoder(buckets=8).encode(CONFIG).groups.items() if name != "routes"]
    assert len(sizes) == 8
    assert max(sizes) < 2 * min(sizes)


@pytest.mark.parametrize("buckets", [0, -1, 3, 100, 1024])
def test_a_number_of_buckets_that_is_no_small_power_of_two_is_refused(buckets: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Encoder(buckets=buckets)


def test_an_expression_nested_too_deeply_is_refused() -> None:
    expression: ir.BoolExpr = ir.BoolStep("a")
    for _ in range(MAX_DEPTH):
        expression = ir.BoolNot(expression)
    plan = ir.AuthPlan(name="deep", steps=(), expression=expression)
    with pytest.raises(EncodeError, match="deep"):
        encode(ir.GatewayConfig(auth_plans=(plan,)))


def test_a_failed_encoding_leaves_the_encoder_usable() -> None:
    encoder = Encoder()
    with pytest.raises(EncodeError):
        encoder.encode(ir.GatewayConfig(template_env=(1,)))  # type: ignore[arg-type]
    assert encoder.encode(FULL) == encode(FULL)
