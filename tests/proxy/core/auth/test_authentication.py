"""Conversations about keys: who gets in, and what is answered to the others (invariants 1 to 3)."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.proxy.core.conversation import (
    KEY,
    NOW,
    TOKEN,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    key_step,
    open_route,
    request,
    route,
)
from wardgate.ir import AuthPlan, BoolAnd, BoolNot, BoolOr, BoolStep, Digest, Hmac, MetadataEntry, MetadataHeader
from wardgate.ir.auth import BoolExpr
from wardgate.sensitive import Sensitive


def assert_recorded_401(talk: Talk, reason: str) -> None:
    reply = talk.reply
    assert reply.status == 401
    assert as_dict(reply.headers) == {"www-authenticate": "API key is missing or invalid"}
    assert reply.body == b""
    assert reason == reply.reason
    assert reason == talk.exchange.facts.reason


# -- the lab


def test_request_without_key_is_refused_as_recorded() -> None:
    assert_recorded_401(Talk(config(route()), request()), "key_missing")


def test_unknown_key_is_refused_as_a_missing_one_is() -> None:
    assert_recorded_401(Talk(config(route()), request("GET", "/", ("api-key", "nobody"))), "key_unknown")


def test_key_of_no_secret_is_refused_where_there_is_no_secret_yet() -> None:
    assert_recorded_401(Talk(config(route(), credentials=()), request("GET", "/", ("api-key", KEY))), "key_unknown")


def test_known_key_passes_and_is_exchanged_for_the_token() -> None:
    talk = Talk(config(route()), request("GET", "/v1?x=1", ("accept", "*/*"), ("api-key", KEY)))
    assert talk.sent == {"host": "gw.example", "accept": "*/*", "x-api-key": TOKEN}
    assert talk.outgoing.target == b"/v1?x=1"
    assert talk.outgoing.body is None
    assert talk.outgoing.upstream.name == "hf"


def test_facts_name_the_secret_and_hold_no_value() -> None:
    talk = Talk(config(route()), request("GET", "/", ("api-key", KEY)))
    facts = talk.exchange.facts
    assert (
        facts.listener,
        facts.route,
        facts.policy,
        facts.credential,
        facts.reason,
        facts.upstream,
    ) == ("gw", "r", "gloo-mesh/hf-policy", "default/hf-key", "", "hf")
    assert TOKEN not in repr(facts)
    assert KEY.decode() not in repr(facts)


def test_credential_used_is_known_by_its_id() -> None:
    talk = Talk(config(route()), request("GET", "/", ("api-key", KEY)))
    assert [("users", sha256(KEY).digest())] == [each.id for each in talk.exchange.credentials_used]


def test_empty_key_is_a_missing_one() -> None:
    served = config(route(), credentials=(credential(b""),))
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", ""))), "key_missing")


def test_key_of_another_set_is_refused() -> None:
    served = config(route(), credentials=(credential(key_set="others"),))
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", KEY))), "key_unknown")


# -- invariant 2


def test_spoofed_user_id_is_removed_on_every_route() -> None:
    talk = Talk(config(open_route()), request("GET", "/", ("x-user-id", "admin"), ("x-user-id", "root")))
    assert talk.sent == {"host": "gw.example"}


def test_spoofed_metadata_header_is_replaced_by_the_secrets() -> None:
    talk = Talk(config(route()), request("GET", "/", ("x-api-key", "attacker"), ("api-key", KEY)))
    assert talk.sent["x-api-key"] == TOKEN


def test_spoofed_metadata_header_is_absent_where_the_secret_has_none() -> None:
    served = config(route(), credentials=(credential(metadata={}),))
    talk = Talk(served, request("GET", "/", ("x-api-key", "attacker"), ("x-user-id", "root"), ("api-key", KEY)))
    assert talk.sent == {"host": "gw.example"}


def test_metadata_header_that_is_also_the_key_header_stays_until_authentication() -> None:
    plan = auth_plan(key_step(header="x-api-key"))
    talk = Talk(config(route(), auth_plans=(plan,)), request("GET", "/", ("x-api-key", KEY)))
    assert talk.sent["x-api-key"] == TOKEN


def test_metadata_header_that_is_also_the_key_header_is_absent_without_metadata() -> None:
    plan = auth_plan(key_step(header="x-api-key"))
    served = config(route(), auth_plans=(plan,), credentials=(credential(metadata={}),))
    assert "x-api-key" not in Talk(served, request("GET", "/", ("x-api-key", KEY))).sent


# -- invariant 3


def test_key_is_not_forwarded() -> None:
    assert "api-key" not in Talk(config(route()), request("GET", "/", ("api-key", KEY))).sent


def test_key_is_forwarded_where_the_policy_says_so() -> None:
    served = config(route(), auth_plans=(auth_plan(forward_credential=True),))
    assert KEY.decode() == Talk(served, request("GET", "/", ("api-key", KEY))).sent["api-key"]


def test_header_of_a_step_that_was_not_evaluated_is_removed_too() -> None:
    steps = (key_step(name="a"), key_step(name="b", header="other-key"))
    plan = auth_plan(*steps, expression=BoolOr((BoolStep("a"), BoolStep("b"))))
    talk = Talk(config(route(), auth_plans=(plan,)), request("GET", "/", ("api-key", KEY), ("other-key", "x")))
    assert "other-key" not in talk.sent


def test_key_that_occurs_twice_is_refused() -> None:
    talk = Talk(config(route()), request("GET", "/", ("api-key", KEY), ("api-key", KEY)))
    assert_recorded_401(talk, "key_repeated")


@pytest.mark.parametrize("value", [KEY, b"Bearer " + KEY, b"bearer " + KEY, b"BEARER   " + KEY])
def test_authorization_is_looked_up_as_it_is_and_without_bearer(value: bytes) -> None:
    plan = auth_plan(key_step(header="authorization", metadata_headers=(MetadataHeader("authorization", "token"),)))
    talk = Talk(config(route(), auth_plans=(plan,)), request("GET", "/", ("authorization", value)))
    assert talk.sent["authorization"] == TOKEN


def test_bearer_may_be_part_of_the_key() -> None:
    plan = auth_plan(key_step(header="authorization"))
    served = config(route(), auth_plans=(plan,), credentials=(credential(b"Bearer abc"),))
    assert "authorization" not in Talk(served, request("GET", "/", ("authorization", "Bearer abc"))).sent


@pytest.mark.parametrize("value", ["Bearer ", "Bearer", "Basic " + KEY.decode()])
def test_authorization_without_a_key_is_refused(value: str) -> None:
    plan = auth_plan(key_step(header="authorization"))
    served = config(route(), auth_plans=(plan,), credentials=(credential(), credential(b"", name="empty")))
    assert_recorded_401(Talk(served, request("GET", "/", ("authorization", value))), "key_unknown")


def test_bearer_is_no_prefix_in_another_header() -> None:
    assert_recorded_401(Talk(config(route()), request("GET", "/", ("api-key", b"Bearer " + KEY))), "key_unknown")


# -- expiry and metadata


def test_key_passes_until_the_second_it_expires() -> None:
    served = config(route(), credentials=(credential(expires_at=int(NOW)),))
    assert "x-api-key" in Talk(served, request("GET", "/", ("api-key", KEY)), now=NOW - 0.001).sent
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", KEY)), now=NOW), "key_expired")


def test_key_without_required_metadata_is_refused() -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader("x-api-key", "token", required=True),)))
    served = config(route(), auth_plans=(plan,), credentials=(credential(metadata={"token": ""}),))
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", KEY))), "key_lacks_metadata")


def entry(value: str, *, legal: bool) -> tuple[MetadataEntry, ...]:
    return (MetadataEntry("token", Sensitive(value), legal_header=legal),)


def test_illegal_metadata_counts_as_absent() -> None:
    illegal = replace(credential(), metadata=entry("a\x01", legal=False))
    talk = Talk(config(route(), credentials=(illegal,)), request("GET", "/", ("api-key", KEY)))
    assert "x-api-key" not in talk.sent


@pytest.mark.parametrize(("value", "expected"), [("a\x01b", "a\x01b"), ("a\r\nb: c", None), ("a\0b", None)])
def test_skipped_validation_still_breaks_no_framing(value: str, expected: str | None) -> None:
    plan = auth_plan(key_step(skip_metadata_validation=True))
    illegal = replace(credential(), metadata=entry(value, legal=False))
    served = config(route(), auth_plans=(plan,), credentials=(illegal,))
    assert expected == Talk(served, request("GET", "/", ("api-key", KEY))).sent.get("x-api-key")


# -- digest, match, hmac


def matching_config() -> AuthPlan:
    return auth_plan(key_step(stored=Digest(match_headers=("x-tenant",)), metadata_headers=()))


def test_digest_without_match_finds_the_key() -> None:
    served = config(route(), auth_plans=(auth_plan(key_step(stored=Digest())),))
    assert Talk(served, request("GET", "/", ("api-key", KEY))).sent["x-api-key"] == TOKEN


def test_match_demands_equal_headers() -> None:
    served = config(route(), auth_plans=(matching_config(),), credentials=(credential(metadata={"x-tenant": "a"}),))
    assert Talk(served, request("GET", "/", ("api-key", KEY), ("x-tenant", "a"))).sent["x-tenant"] == "a"


@pytest.mark.parametrize("metadata", [{"X-Tenant": "a"}, {"X-TENANT": "b", "x-tenant": "a", "x-Tenant": "b"}])
def test_match_compares_entries_in_any_case(metadata: dict[str, str]) -> None:
    served = config(route(), auth_plans=(matching_config(),), credentials=(credential(metadata=metadata),))
    assert Talk(served, request("GET", "/", ("api-key", KEY), ("x-tenant", "a"))).sent["x-tenant"] == "a"


@pytest.mark.parametrize("given", ["", "\0"])
def test_match_never_accepts_an_entry_that_stands_for_no_text(given: str) -> None:
    served = config(route(), auth_plans=(matching_config(),), credentials=(credential(metadata={"x-tenant": "\0"}),))
    talk = Talk(served, request("GET", "/", ("api-key", KEY), ("x-tenant", given)))
    assert_recorded_401(talk, "key_header_mismatch")


@pytest.mark.parametrize(
    "headers", [[], [("x-tenant", "b")], [("x-tenant", "a"), ("x-tenant", "a")], [("x-tenant", "")]]
)
def test_match_refuses_any_other_header(headers: list[tuple[str, str]]) -> None:
    served = config(route(), auth_plans=(matching_config(),), credentials=(credential(metadata={"x-tenant": "a"}),))
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", KEY), *headers)), "key_header_mismatch")


def test_match_refuses_a_key_without_the_entry() -> None:
    served = config(route(), auth_plans=(matching_config(),), credentials=(credential(metadata={}),))
    talk = Talk(served, request("GET", "/", ("api-key", KEY), ("x-tenant", "")))
    assert_recorded_401(talk, "key_header_mismatch")


def test_hmac_key_is_found_by_its_keyed_digest_only() -> None:
    plan = auth_plan(key_step(stored=Hmac(Sensitive("shared"))))
    keyed = credential(digest=hmac.new(b"shared", KEY, "sha256").hexdigest())
    arrived = ("api-key", KEY)
    assert (
        Talk(config(route(), auth_plans=(plan,), credentials=(keyed,)), request("GET", "/", arrived)).sent["x-api-key"]
        == TOKEN
    )
    plain = config(route(), auth_plans=(plan,), credentials=(credential(),))
    assert_recorded_401(Talk(plain, request("GET", "/", arrived)), "key_unknown")


# -- several steps

OTHER = b"second-key"
BOTH = (credential(), credential(OTHER, name="second", key_set="second", metadata={"token": "t2"}))
FIRST = key_step(name="a")
SECOND = key_step(name="b", header="second-key", key_set="second")


def two_steps(expression: BoolExpr | None, *headers: tuple[str, bytes]) -> Talk:
    plan = auth_plan(FIRST, SECOND, expression=expression)
    return Talk(config(route(), auth_plans=(plan,), credentials=BOTH), request("GET", "/", *headers))


def test_all_steps_must_pass_and_the_later_header_wins() -> None:
    talk = two_steps(None, ("api-key", KEY), ("second-key", OTHER))
    assert talk.sent == {"host": "gw.example", "x-api-key": "t2"}
    assert talk.exchange.facts.credential == "default/hf-key,default/second"


def test_first_failure_decides_the_answer() -> None:
    assert_recorded_401(two_steps(None, ("second-key", b"wrong")), "key_missing")
    assert_recorded_401(two_steps(None, ("api-key", KEY), ("second-key", b"wrong")), "key_unknown")


A, B = BoolStep("a"), BoolStep("b")


@pytest.mark.parametrize(
    ("expression", "first", "second", "passes"),
    [
        (BoolOr((A, B)), True, False, True),
        (BoolOr((A, B)), False, True, True),
        (BoolOr((A, B)), False, False, False),
        (BoolAnd((A, B)), True, False, False),
        (BoolAnd((A, B)), True, True, True),
        (BoolAnd((BoolNot(A), B)), False, True, True),
        (BoolAnd((BoolNot(A), B)), True, True, False),
        (BoolNot(A), False, False, False),
        (BoolNot(BoolNot(A)), True, False, True),
        (BoolAnd(()), True, True, False),
        (BoolOr((BoolNot(A), B)), False, False, False),
        (BoolOr((BoolNot(A), A)), True, False, True),
    ],
)
def test_expression_decides(expression: BoolExpr, *, first: bool, second: bool, passes: bool) -> None:
    talk = two_steps(expression, ("api-key", KEY if first else b"no"), ("second-key", OTHER if second else b"no"))
    assert passes is hasattr(talk.step, "upstream")


def test_step_that_is_short_circuited_is_not_asked() -> None:
    talk = two_steps(BoolOr((A, B)), ("api-key", KEY), ("second-key", OTHER))
    assert talk.exchange.facts.credential == "default/hf-key"
    assert talk.sent["x-api-key"] == TOKEN


def test_expression_that_is_false_with_every_step_passed_is_refused_as_recorded() -> None:
    assert_recorded_401(two_steps(BoolNot(A), ("api-key", KEY)), "not_authenticated")


def test_plan_without_a_step_lets_nobody_in() -> None:
    served = config(route(), auth_plans=(AuthPlan("plan", ()),))
    assert_recorded_401(Talk(served, request("GET", "/", ("api-key", KEY))), "not_authenticated")
