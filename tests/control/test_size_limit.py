"""A config that is too large opens nothing, keeps no revocation back, and stays what it was over a restart."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.control.size_limit import Excess, Publishable, SizeLimit, size_of
from wardgate.inja.limits import TemplateLimits
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    DirectResponse,
    GatewayConfig,
    Guard,
    Listener,
    MetadataEntry,
    Refuse,
    Route,
    VirtualHost,
)
from wardgate.problems import ObjectRef
from wardgate.sensitive import Sensitive
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import encode

LIMIT = 6000
LARGE = "x" * LIMIT


def route(name: str, *, auth: str | None = None, text: str = "hello") -> Route:
    return Route(name, DirectResponse(200, text), auth=auth)


def plan(name: str, key_set: str = "keys") -> AuthPlan:
    return AuthPlan(name, (ApiKeyStep("step", "api-key", key_set),))


def key(name: str, *, key_set: str = "keys", token: str = "token") -> Credential:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Credential(key_set, digest, "team", name, metadata=(MetadataEntry("token", Sensitive(token)),))


def secret(name: str) -> ObjectRef:
    return ObjectRef("Secret", "team", name)


def config(
    *routes: Route, plans: tuple[AuthPlan, ...] = (plan("p"),), keys: tuple[Credential, ...] = ()
) -> GatewayConfig:
    ordered = tuple(sorted(keys, key=lambda one: (one.key_set, one.digest)))
    listener = Listener("main", 80, (VirtualHost(("*",), routes),))
    return GatewayConfig(listeners=(listener,), auth_plans=plans, credentials=ordered)


@dataclass
class Operator:
    """One operator after another over what is published."""

    stored: Bundle | None = None
    reads: int = 0
    limit: int = LIMIT
    _size_limit: SizeLimit = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    async def _read(self) -> Bundle | None:
        self.reads += 1
        return self.stored

    def restart(self) -> None:
        self._size_limit = SizeLimit()

    def publish(self, new: GatewayConfig) -> Publishable:
        found = asyncio.run(self._size_limit.publishable(new, encode(new), limit=self.limit, read=self._read))
        if found.bundle is not None:
            assert encode(found.config) == found.bundle
            self.stored = found.bundle
        self._size_limit.settled_on(found)
        return found


GOOD = config(route("guarded", auth="p"), Route("closed", Refuse(500, "x")), keys=(key("a"), key("b")))


def flooded(new: GatewayConfig) -> GatewayConfig:
    """The same with a route that is too large."""
    (listener,) = new.listeners
    (host,) = listener.virtual_hosts
    hosts = (replace(host, routes=(*host.routes, route("large", text=LARGE))),)
    return replace(new, listeners=(replace(listener, virtual_hosts=hosts),))


def test_config_that_fits_is_published_as_it_is() -> None:
    operator = Operator()
    found = operator.publish(GOOD)
    assert found.config is GOOD
    assert (None, 0) == (found.excess, operator.reads)


def test_routes_stay_as_they_were_published_and_nothing_opens() -> None:
    operator = Operator()
    operator.publish(GOOD)
    opened = replace(config(route("guarded"), route("closed"), plans=()), credentials=GOOD.credentials)
    assert GOOD == replace(operator.publish(flooded(opened)).config, credentials=GOOD.credentials)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda keys: keys[1:], {"b": "token"}),
        (lambda keys: (*keys, key("c")), {"a": "token", "b": "token", "c": "token"}),
        (lambda keys: (key("a", token="rotated"), *keys[1:]), {"a": "rotated", "b": "token"}),
        (lambda _: (), {}),
    ],
    ids=["revoked", "new", "rotated", "none left"],
)
def test_keys_go_on_while_the_routes_are_too_large(
    change: Callable[[tuple[Credential, ...]], tuple[Credential, ...]], expected: dict[str, str]
) -> None:
    operator = Operator()
    operator.publish(GOOD)
    found = operator.publish(flooded(config(route("r"), keys=change((key("a"), key("b"))))))
    assert expected == {one.name: one.metadata[0].value.reveal() for one in found.config.credentials}
    assert found.excess is not None
    assert () == found.excess.refused


@pytest.mark.parametrize("change", [{"expires_at": 5}, {"allowed_hosts": ("a.example",)}, {"shared_with": ("t",)}])
def test_restriction_of_a_key_goes_out(change: dict[str, object]) -> None:
    operator = Operator()
    operator.publish(GOOD)
    bound = replace(key("a"), **change)  # type: ignore[arg-type]
    assert bound in operator.publish(flooded(config(keys=(bound, key("b"))))).config.credentials


def test_keys_for_which_no_route_in_force_asks_are_not_published_and_are_named() -> None:
    operator = Operator()
    operator.publish(GOOD)
    new = config(plans=(plan("p"), plan("q", "others")), keys=(key("a"), key("c", key_set="others")))
    found = operator.publish(flooded(new))
    assert (key("a"),) == found.config.credentials
    assert found.excess is not None
    assert (secret("c"),) == found.excess.refused


def test_set_that_nobody_asks_for_any_more_refuses_everybody() -> None:
    operator = Operator()
    operator.publish(GOOD)
    assert () == operator.publish(flooded(config(plans=(plan("p", "others"),)))).config.credentials


def test_keys_that_are_too_many_leave_those_in_force_and_revoke_what_was_revoked_or_changed() -> None:
    operator = Operator()
    operator.publish(config(route("r", auth="p"), keys=(key("a"), key("b"), key("c"))))
    flood = tuple(key(f"flood-{number}", token="x" * 1000) for number in range(9))
    found = operator.publish(config(route("r", auth="p"), keys=(key("a"), key("b", token="new"), *flood)))
    assert (key("a"),) == found.config.credentials
    assert found.excess is not None
    assert {secret("b"), *(secret(one.name) for one in flood)} == set(found.excess.refused)


def test_key_that_came_while_the_routes_were_too_large_stays_when_the_keys_are_too_many() -> None:
    operator = Operator()
    operator.publish(GOOD)
    keys = (key("a"), key("b"), key("c"))
    operator.publish(flooded(config(keys=keys)))
    flood = tuple(key(f"flood-{number}", token="x" * 1000) for number in range(9))
    assert set(keys) == set(operator.publish(flooded(config(keys=(*keys, *flood)))).config.credentials)


def test_revocation_goes_out_although_what_is_in_force_is_over_a_lowered_bound() -> None:
    operator = Operator()
    operator.publish(GOOD)
    operator.limit = 10
    assert (key("b"),) == operator.publish(replace(GOOD, credentials=(key("b"),))).config.credentials


def test_bounds_of_the_installation_go_on() -> None:
    operator = Operator()
    operator.publish(GOOD)
    guard, limits = Guard(denied_addresses=("10.0.0.1:443",)), replace(TemplateLimits(), steps=5)
    new = replace(flooded(GOOD), guard=guard, template_limits=limits, template_env=("A",))
    assert replace(GOOD, guard=guard, template_limits=limits, template_env=("A",)) == operator.publish(new).config


def test_everything_is_published_once_it_fits_again() -> None:
    operator = Operator()
    operator.publish(GOOD)
    operator.publish(flooded(GOOD))
    new = config(route("new"), plans=())
    assert Publishable(new, encode(new)) == operator.publish(new)


def test_config_in_force_is_read_back_once_and_only_over_the_bound() -> None:
    operator = Operator()
    operator.publish(GOOD)
    operator.restart()
    operator.publish(GOOD)
    assert 0 == operator.reads
    operator.restart()
    for _ in range(3):
        operator.publish(flooded(GOOD))
    assert 1 == operator.reads


def test_nothing_is_published_where_nothing_ever_was() -> None:
    found = Operator().publish(flooded(GOOD))
    assert (GatewayConfig(), None) == (found.config, found.bundle)
    assert found.excess is not None
    assert found.excess.size == size_of(encode(flooded(GOOD)))


def test_log_names_size_limit_and_the_keys_that_are_refused() -> None:
    text = str(Excess(7000, 6000, tuple(secret(f"k{number:02}") for number in range(22))))
    assert text.startswith("The config comes to 7000 bytes of at most 6000 (config_bytes): ")
    assert text.endswith("Secret team/k19 and 2 more.")
    assert "Keys that are refused" not in str(Excess(7000, 6000))


# Anything.

_SETS = st.sampled_from(["keys", "others"])
_TOKENS = st.sampled_from(["t", "u" * 900])
_TEXTS = st.sampled_from(["t", "x" * 4000])
_KEYS = st.lists(
    st.builds(key, st.sampled_from("abcdef"), key_set=_SETS, token=_TOKENS),
    unique_by=lambda one: (one.key_set, one.digest),
    max_size=8,
).map(tuple)
_ROUTES = st.lists(
    st.builds(route, st.sampled_from("rs"), auth=st.sampled_from([None, "p", "q"]), text=_TEXTS),
    unique_by=lambda one: one.name,
    max_size=2,
)


@st.composite
def configs(draw: st.DrawFn) -> GatewayConfig:
    plans = (plan("p", draw(_SETS)), plan("q", draw(_SETS)))
    return config(*draw(_ROUTES), plans=plans, keys=draw(_KEYS))


@settings(max_examples=200, deadline=None)
@given(st.lists(configs(), min_size=1, max_size=5), st.integers(1500, 9000), st.integers(0, 31))
def test_whatever_is_applied_no_revoked_key_is_in_force_and_routes_are_of_one_time(
    history: list[GatewayConfig], limit: int, restarts: int
) -> None:
    steady, restarted = Operator(limit=limit), Operator(limit=limit)
    accepted: GatewayConfig | None = None
    for number, new in enumerate(history):
        if restarts >> number & 1:
            restarted.restart()
        found = steady.publish(new)
        assert found == restarted.publish(new)
        assert set(found.config.credentials) <= set(new.credentials)
        accepted = new if found.excess is None else accepted
        if accepted is not None:
            assert (accepted.listeners, accepted.auth_plans) == (found.config.listeners, found.config.auth_plans)
            assert found.bundle is not None
            assert size_of(found.bundle) <= limit
