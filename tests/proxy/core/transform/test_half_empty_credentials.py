"""Invariant 4: a half-empty credential is never sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import KEY, TOKEN, Talk, config, credential, post_plan, request, route
from tests.proxy.core.transform.test_transformation import message, x_
from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.ir import AppendedHeader, MessageTemplate
from wardgate.proxy.core.messages import Incoming, Outgoing, Reply
from wardgate.proxy.core.transform.hollow_credentials import is_half_empty


def talk(template: MessageTemplate, *headers: tuple[str, str], token: str | None = None, **plan: Any) -> Talk:
    lab = config(
        route(transformations=("t",)),
        transformations=(post_plan(**({"request": template} | plan)),),
        credentials=(credential(metadata={} if token is None else {"token": token}),),
    )
    return Talk(lab, request("GET", "/", ("api-key", KEY.decode()), *headers))


def assert_refused(said: Talk) -> None:
    assert isinstance(said.step, Reply), said.step
    assert (said.step.status, said.step.reason) == (403, "half_empty_credential")


EXTRACTED = {"extractors": (x_("t", "x-api-key"),)}
RENDERINGS = [
    ("Bearer {{ t }}", EXTRACTED),
    ("{{ t }}", EXTRACTED),
    ('Bearer {{ header("X-Api-Key") }}', {}),
    ('{{ header("x-api-key") }}', {}),
    ('Bearer {{ request_header("x-api-key") }}', {}),
    ('Bearer {{ extraction("t") }}', EXTRACTED | {"advanced": True}),
    ("Bearer {{ trim(t) }}", EXTRACTED),
    ("{% set v = t %}Bearer {{ v }}", EXTRACTED),
    ('{{ "Bearer " + t }}', EXTRACTED),
]


@pytest.mark.parametrize(("text", "parts"), RENDERINGS)
def test_missing_token_is_refused_however_it_is_read(text: str, parts: dict[str, Any]) -> None:
    assert_refused(talk(message(("authorization", text), **parts)))


@pytest.mark.parametrize(("text", "parts"), RENDERINGS)
def test_present_token_is_sent_however_it_is_read(text: str, parts: dict[str, Any]) -> None:
    said = talk(message(("authorization", text), **parts), token=TOKEN)
    assert said.sent["authorization"].removeprefix("Bearer ") == TOKEN


def test_spoofed_token_header_does_not_help() -> None:
    assert_refused(talk(message(("authorization", "Bearer {{ t }}"), **EXTRACTED), ("x-api-key", "attacker")))


@pytest.mark.parametrize("name", sorted(CREDENTIAL_HEADERS - {"api-key"}))
def test_every_credential_header_is_guarded(name: str) -> None:
    assert_refused(talk(message((name, "key={{ t }}"), extractors=(x_("t", "other"),))))


def test_appended_credential_is_guarded() -> None:
    template = message(append=(AppendedHeader("authorization", "Bearer {{ t }}"),), **EXTRACTED)
    assert_refused(talk(template))
    assert f"Bearer {TOKEN}" == talk(template, token=TOKEN).sent["authorization"]


def test_credential_headers_of_the_policy_are_guarded() -> None:
    template = message(("x-my-key", "k={{ t }}"), **EXTRACTED)
    assert_refused(talk(template, credential_headers=("x-my-key",)))
    assert talk(template).sent["x-my-key"] == "k="


def test_token_that_does_not_match_is_refused() -> None:
    template = message(("authorization", "Bearer {{ t }}"), extractors=(x_("t", "x-api-key", "hf_(.*)", subgroup=1),))
    assert_refused(talk(template, token="sk-1"))
    assert talk(template, token="hf_abc").sent["authorization"] == "Bearer abc"


def test_replacement_of_an_empty_header_is_refused() -> None:
    replaced = x_("t", "other", ".*", mode="SINGLE_REPLACE", replacement="default")
    template = message(("authorization", "Bearer {{ t }}"), extractors=(replaced,))
    assert_refused(talk(template, ("other", "")))
    assert talk(template, ("other", "x")).sent["authorization"] == "Bearer default"


def test_empty_value_alone_of_an_ordinary_header_removes_the_credential() -> None:
    said = talk(message(("authorization", "{{ t }}"), extractors=(x_("t", "other"),)), ("authorization", "old"))
    assert "authorization" not in said.sent


def test_empty_value_beside_a_blank_is_refused() -> None:
    assert_refused(talk(message(("authorization", " {{ t }}"), extractors=(x_("t", "other"),))))


def test_value_that_is_not_printed_does_no_harm() -> None:
    text = '{% if header("other") == "" %}Bearer fixed{% endif %}'
    assert talk(message(("authorization", text))).sent["authorization"] == "Bearer fixed"


def test_other_headers_follow_gloo() -> None:
    assert talk(message(("x-other", "Bearer {{ t }}"), **EXTRACTED)).sent["x-other"] == "Bearer "


def test_preauthz_is_guarded_too() -> None:
    assert_refused(talk(message(("authorization", "Bearer {{ t }}"), **EXTRACTED), phase="pre"))


def test_responses_are_not_requests() -> None:
    said = talk(message(), response=message(("authorization", "Bearer {{ t }}"), **EXTRACTED), request=None)
    assert isinstance(said.step, Outgoing)
    assert said.exchange.finish_response(Incoming(200, [])).headers == [(b"authorization", b"Bearer ")]


@pytest.mark.parametrize(
    ("text", "hollow", "expected"),
    [
        ("Bearer x", set(), False),
        ("", set(), False),
        ("", {"other"}, False),
        ("x", {"other"}, True),
        ("", {"x-api-key"}, True),
    ],
)
def test_judgement(text: str, hollow: set[str], *, expected: bool) -> None:
    assert expected is is_half_empty(text, frozenset(hollow), metadata_headers=frozenset({"x-api-key"}))
