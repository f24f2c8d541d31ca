"""The expiries of a policy's keys are found in the config, and what did not change stays the same object."""

from __future__ import annotations

from wardgate.ir import ApiKeyStep, AuthPlan, BasicAuthStep, Credential, GatewayConfig
from wardgate.kube.status.key_expiry import ExpiryIndex
from wardgate.problems import ObjectRef


def _plan(name: str, *key_sets: str) -> AuthPlan:
    steps = tuple(ApiKeyStep(name=str(n), header="api-key", key_set=one) for n, one in enumerate(key_sets))
    return AuthPlan(name, (*steps, BasicAuthStep("b", "realm", "apr1", ())))


def _key(key_set: str, expires_at: int | None, *, name: str = "a") -> Credential:
    return Credential(key_set, name.ljust(64, "0"), "team", name, expires_at)


def _config(*credentials: Credential) -> GatewayConfig:
    plans = (_plan("team/both", "one", "two", "one"), _plan("team/none", "three"), _plan("team/one", "one"))
    return GatewayConfig(auth_plans=plans, credentials=credentials)


def test_expiries_are_those_of_the_key_sets_of_a_policy() -> None:
    found = ExpiryIndex().of(_config(_key("one", 9), _key("one", 3), _key("one", None), _key("two", 5)))

    assert {
        ObjectRef("ExtAuthPolicy", "team", "both"): ((3, 9), (5,)),
        ObjectRef("ExtAuthPolicy", "team", "one"): ((3, 9),),
    } == {ref: expiries.key_sets for ref, expiries in found.items()}


def test_keys_without_an_end_are_no_expiries() -> None:
    assert ExpiryIndex().of(_config(_key("one", None))) == {}


def test_what_did_not_change_is_the_same_object() -> None:
    index = ExpiryIndex()
    ref = ObjectRef("ExtAuthPolicy", "team", "both")
    before = index.of(_config(_key("one", 9), _key("two", 5)))[ref].key_sets
    after = index.of(_config(_key("one", 9), _key("two", 6)))[ref].key_sets

    assert before[0] is after[0]
    assert ((5,), (6,)) == (before[1], after[1])
