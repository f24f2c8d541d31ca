"""Groups, buckets, hashes and what is not encoded twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.histories import histories
from tests.wire.samples import FULL, LISTENERS, PLANS, ROUTES
from wardgate import ir
from wardgate.wire import (
    Bundle,
    EncodeError,
    Encoder,
    RoutesDecoder,
    WireError,
    decode_credentials,
    decode_routes,
    encode,
    revision_of,
)
from wardgate.wire.record import MAX_DEPTH

MANY = tuple(ir.Credential("set", hashlib.sha256(bytes([n])).hexdigest(), "apps", f"key-{n}") for n in range(256))
CONFIG = replace(FULL, credentials=MANY, token_sources=())


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


@pytest.mark.no_cover
@settings(max_examples=40, deadline=None)
@given(history=histories(), same_objects=st.booleans())
def test_any_history_is_written_as_if_there_were_none(history: list[bytes], *, same_objects: bool) -> None:
    encoder, decoder = Encoder(), RoutesDecoder()
    for data in history:
        try:
            config = (decoder.decode if same_objects else decode_routes)(data).config
        except WireError:
            continue
        assert encode(config) == encoder.encode(config)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(MANY[:8]), max_size=12), max_size=4))
def test_any_history_of_credentials_is_written_as_if_there_were_none(
    history: list[list[ir.Credential]],
) -> None:
    encoder = Encoder(buckets=4)
    for credentials in history:
        config = ir.GatewayConfig(credentials=tuple(credentials))
        assert Encoder(buckets=4).encode(config) == encoder.encode(config)


@pytest.mark.parametrize(("first", "after"), [(0, 250), (3, 3), (128, 129), (0, 256), (100, 256)])
def test_a_stretch_of_credentials_that_goes_and_comes_back_is_written_as_if_it_were_new(first: int, after: int) -> None:
    encoder = Encoder()
    for credentials in (MANY, MANY[:first] + MANY[after:], MANY):
        config = ir.GatewayConfig(credentials=credentials)
        assert encode(config) == encoder.encode(config)


def poisoned(value: object, field: str) -> None:
    """Make a value that has been written unfit to be written again."""
    object.__setattr__(value, field, 1)


def test_what_stands_beside_a_changed_route_is_not_written_again() -> None:
    routes = tuple(replace(route) for route in ROUTES)
    listener = replace(LISTENERS[0], virtual_hosts=(ir.VirtualHost(("*",), routes),))
    config = replace(FULL, listeners=(listener, replace(LISTENERS[2])), auth_plans=tuple(map(replace, PLANS)))
    encoder = Encoder()
    encoder.encode(config)
    poisoned(routes[0], "transformations")
    poisoned(config.listeners[1], "virtual_hosts")
    poisoned(config.auth_plans[0], "policy")
    changed = ir.VirtualHost(("*",), (routes[0], replace(routes[1], auth=None), *routes[2:]))
    assert (
        b'"one.example"'
        in encoder.encode(
            replace(config, listeners=(replace(listener, virtual_hosts=(changed,)), config.listeners[1]))
        ).groups["routes"]
    )


def test_equal_credentials_are_not_written_again() -> None:
    credentials = tuple(map(replace, MANY))
    encoder = Encoder()
    before = encoder.encode(replace(CONFIG, credentials=tuple(map(replace, MANY))))
    assert all(
        data is before.groups[name]
        for name, data in encoder.encode(replace(CONFIG, credentials=credentials)).groups.items()
    )


def test_a_plan_that_was_as_deep_as_may_be_may_not_grow() -> None:
    def config(depth: int) -> ir.GatewayConfig:
        expression: ir.BoolExpr = ir.BoolStep("a")
        for _ in range(depth):
            expression = ir.BoolNot(expression)
        return ir.GatewayConfig(auth_plans=(ir.AuthPlan(name="deep", steps=(), expression=expression),))

    encoder = Encoder()
    encoder.encode(config(MAX_DEPTH - 3))
    with pytest.raises(EncodeError, match="deep"):
        encoder.encode(config(MAX_DEPTH - 2))


@pytest.mark.parametrize(
    "config",
    [
        ir.GatewayConfig(listeners=[]),  # type: ignore[arg-type]
        ir.GatewayConfig(listeners=(ir.Listener("a", 1, virtual_hosts=(ir.Route("r", ir.Redirect(301)),)),)),  # type: ignore[arg-type]
        ir.GatewayConfig(listeners=(ir.Listener("a", 1, (ir.VirtualHost(("*",), [ROUTES[0]]),)),)),  # type: ignore[arg-type]
        ir.GatewayConfig(listeners=(ir.Listener("a", 1, (ir.VirtualHost(["*"], ()),)),)),  # type: ignore[arg-type]
    ],
    ids=["a list", "a route for a host", "a list of routes", "a list of domains"],
)
def test_parts_of_a_wrong_type_are_refused(config: ir.GatewayConfig) -> None:
    encoder = Encoder()
    encoder.encode(FULL)
    with pytest.raises(EncodeError):
        encoder.encode(config)


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
