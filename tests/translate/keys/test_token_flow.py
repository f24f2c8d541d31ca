"""Tokens are followed only as far as it is certain: past what overwrites them, and past another owner, nobody looks."""

from __future__ import annotations

from dataclasses import replace

from wardgate.ir import ApiKeyStep, AuthPlan, HeaderTemplate, MessageTemplate, MetadataHeader, TransformationPlan
from wardgate.problems import ObjectRef
from wardgate.translate.contract import TransformationOutcome
from wardgate.translate.keys.token_flow import TokenFlow, token_flow

_STEP = ApiKeyStep("config_0", "api-key", "keys", metadata_headers=(MetadataHeader("x-token", "token"),))
_AUTH = AuthPlan("ns/auth", (_STEP,), policy="ExtAuthPolicy ns/auth")


def _outcome(name: str, *, writes: str, reads: str, owner: str = "") -> TransformationOutcome:
    template = MessageTemplate(headers=(HeaderTemplate(writes, "text"),))
    plan = TransformationPlan(name, "post", request=template, policy=f"TransformationPolicy {name}", owner=owner)
    return TransformationOutcome(plan, credentials_read=frozenset({reads} if reads else ()))


_CREDENTIAL = _outcome("ns/last", writes="authorization", reads="x-token")


def _flow(*outcomes: TransformationOutcome, auth: AuthPlan = _AUTH) -> TokenFlow:
    plans = [one.plan for one in outcomes if one.plan is not None]
    chain = tuple(plan.name for plan in plans)
    made = {
        plan.name: (ObjectRef("TransformationPolicy", *plan.name.split("/")), one)
        for plan, one in zip(plans, outcomes, strict=True)
    }
    return token_flow([(auth, chain)], made)


def test_header_that_becomes_a_credential_is_noted_with_its_transformation() -> None:
    assert {"ns/auth": {"x-token": "TransformationPolicy ns/last"}} == _flow(_CREDENTIAL).credentials


def test_header_that_an_earlier_transformation_overwrites_is_the_token_no_more() -> None:
    flow = _flow(_outcome("ns/first", writes="x-token", reads=""), _CREDENTIAL)

    assert ({}, []) == (flow.credentials, flow.problems)


def test_transformation_of_another_owner_is_passed_over() -> None:
    flow = _flow(_outcome("ns/last", writes="authorization", reads="x-tokn", owner="apps"))

    assert ({}, []) == (flow.credentials, flow.problems)


def test_key_header_that_is_forwarded_may_be_read() -> None:
    reading = _outcome("ns/last", writes="authorization", reads="api-key")

    assert 1 == len(_flow(reading).problems)
    assert [] == _flow(reading, auth=replace(_AUTH, forward_credential=True)).problems
