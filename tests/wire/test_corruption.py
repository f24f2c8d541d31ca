"""Any bytes give a whole configuration or ``WireError``, and none open what demanded a key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.wire.samples import FULL, GUARDED, routes_of
from tests.wire.walking import Path, changed, load, write
from wardgate import ir
from wardgate.wire import Bundle, Decoded, WireError, decode, decode_credentials, decode_routes, encode, revision_of

ROUTES = encode(GUARDED).groups["routes"]
JSON = load(encode(FULL).groups["routes"])
KEYS_NAME, KEYS = next((name, data) for name, data in encode(FULL).groups.items() if b"key-ann" in data)


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """One to three bytes replaced, removed or added."""
    mutated = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(mutated) - 1))
        new = draw(
            st.one_of(st.just(b""), st.binary(min_size=1, max_size=2), st.sampled_from([b'"', b",", b"{", b"}", b"0"]))
        )
        mutated[place : place + draw(st.integers(0, 1))] = new
    return bytes(mutated)


def decoded_or_none(data: bytes) -> Decoded | None:
    try:
        return decode_routes(data)
    except WireError:
        return None


def demands_a_key_or_refuses(route: ir.Route, config: ir.GatewayConfig) -> bool:
    if isinstance(route.action, ir.Refuse):
        return True
    plans = {plan.name: plan for plan in config.auth_plans}
    return route.auth is not None and bool(plans[route.auth].steps)


@pytest.mark.no_cover
@settings(max_examples=400, deadline=None)
@given(mutations(ROUTES))
def test_mutated_routes_raise_wire_error_or_still_demand_a_key(data: bytes) -> None:
    decoded = decoded_or_none(data)
    if decoded is not None:
        assert all(demands_a_key_or_refuses(route, decoded.config) for route in routes_of(decoded.config))


@settings(max_examples=200, deadline=None)
@given(mutations(KEYS))
def test_mutated_keys_raise_wire_error_or_are_no_more_than_they_were(data: bytes) -> None:
    try:
        decoded = decode_credentials(data)
    except WireError:
        return
    assert len(decoded.credentials) + decoded.refused <= 1


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=40), st.text('{}[]",:0123456789truefalsn-e.', max_size=40).map(str.encode)))
@example(b"")
@example(b"null")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"9" * 10_000)
@example(b"\xff\xfe{\x00}\x00")
def test_any_bytes_raise_wire_error(data: bytes) -> None:
    for read in (decode_routes, decode_credentials):
        with pytest.raises(WireError):
            read(data)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_bundle_with_one_changed_byte_is_refused(data: st.DataObject) -> None:
    bundle = encode(FULL)
    groups = dict(bundle.groups)
    name = data.draw(st.sampled_from(sorted(groups)))
    place = data.draw(st.integers(0, len(groups[name]) - 1))
    mutated = bytearray(groups[name])
    mutated[place] ^= data.draw(st.integers(1, 255))
    groups[name] = bytes(mutated)
    with pytest.raises(WireError):
        decode(Bundle(schema=bundle.schema, revision=bundle.revision, groups=groups, hashes=bundle.hashes))


def without(name: str) -> Bundle:
    bundle = encode(FULL)
    groups = {key: data for key, data in bundle.groups.items() if key != name}
    hashes = {key: digest for key, digest in bundle.hashes.items() if key != name}
    return Bundle(schema=bundle.schema, revision=bundle.revision, groups=groups, hashes=hashes)


def test_a_bundle_without_one_of_its_groups_is_refused() -> None:
    with pytest.raises(WireError, match="not the ones"):
        decode(without(KEYS_NAME))


def test_a_bundle_whose_hashes_are_not_those_of_its_groups_is_refused() -> None:
    hashes = {**encode(FULL).hashes, KEYS_NAME: "0" * 64}
    with pytest.raises(WireError, match="not the ones"):
        decode(replace(encode(FULL), hashes=hashes))


def test_a_bundle_without_routes_is_refused() -> None:
    bundle = without("routes")
    revision = revision_of(schema=bundle.schema, hashes=bundle.hashes)
    with pytest.raises(WireError, match="routes is missing"):
        decode(Bundle(schema=bundle.schema, revision=revision, groups=bundle.groups, hashes=bundle.hashes))


def test_a_group_of_another_kind_is_refused() -> None:
    with pytest.raises(WireError, match="kind routes"):
        decode_routes(KEYS)
    with pytest.raises(WireError, match="kind keys"):
        decode_credentials(ROUTES)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("listeners", 0, "port"), "8080"),
        (("listeners", 0, "port"), 8080.0),
        (("listeners", 0, "port"), True),
        (("listeners", 0, "port"), None),
        (("listeners", 1, "https_redirect"), 1),
        (("listeners", 0, "name"), 1),
        (("listeners", 0, "virtual_hosts"), {}),
        (("listeners", 0, "virtual_hosts", 0), "x"),
        (("listeners", 0, "virtual_hosts", 0, "domains"), "*"),
        (("listeners", 0, "virtual_hosts", 0, "domains"), ["*", 1]),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "auth"), 0),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "action"), "forward"),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "action", "@"), 1),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "action"), {}),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "matches"), None),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "matches", 0, "paths"), "/"),
        (("listeners", 0, "virtual_hosts", 0, "routes", 0, "matches", 0, "paths", 0, "kind"), 1),
        (("listeners", 0, "tls", "certificate"), 1),
        (("auth_plans",), {}),
        (("auth_plans", 0), []),
        (("auth_plans", 0, "name"), None),
        (("auth_plans", 0, "steps", 1, "stored", "shared_secret"), 1),
        (("template_env",), [None]),
        (("guard",), []),
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_is_an_error(path: Path, value: object) -> None:
    with pytest.raises(WireError):
        decode_routes(write(changed(JSON, path, value)))


@pytest.mark.parametrize(
    "path", [("auth_plans", 0), ("listeners", 0), ("listeners", 0, "virtual_hosts", 0, "routes", 0)], ids=str
)
def test_a_missing_field_is_an_error(path: Path) -> None:
    with pytest.raises(WireError):
        decode_routes(write(changed(JSON, path, {"name": "x"})))


def test_an_expression_nested_too_deeply_is_an_error() -> None:
    expression: object = {"@": "step", "step": "a"}
    for _ in range(100):
        expression = {"@": "not", "operand": expression}
    with pytest.raises(WireError, match="deep"):
        decode_routes(write(changed(JSON, ("auth_plans", 0, "expression"), expression)))


def test_an_error_carries_nothing_of_the_bytes() -> None:
    """``JSONDecodeError.doc`` and ``UnicodeDecodeError.object`` hold the whole input and must not travel along."""
    for data in (KEYS[:-1], KEYS + b"\xff"):
        with pytest.raises(WireError) as refused:
            decode_credentials(data)
        assert refused.value.__context__ is None
        assert refused.value.__cause__ is None
        assert "hf_token" not in str(refused.value)
