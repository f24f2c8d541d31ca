"""Passwords: hashes that other tools made, what is remembered, whose wrong ones are limited."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal
from unittest.mock import patch

import pytest

from tests.proxy.core.conversation import NOW, Talk, as_dict, auth_plan, config, key_step, request, route
from wardgate.ir import BasicAuthStep, BasicUser, BoolOr, BoolStep
from wardgate.proxy.core.auth import passwords
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.auth.passwords import Check, PasswordChecker, apr1, parse_basic
from wardgate.sensitive import Sensitive


@pytest.mark.parametrize(
    ("password", "salt", "expected"),
    [
        ("hello", "abcdefgh", "cy3DSYyOwfhsyu7QOMQzd."),
        ("a", "x", "16j9.5e7KiXmuYFAYpPJM/"),
        ("sixteen-bytes-pw", "12345678", "ttuBMGkRjo2GhnK5wwIiv1"),
        ("a-password-longer-than-sixteen-bytes-indeed", "salt", "nIzkbKUqMIKr8eMyvjWZR1"),
        ("", "TYiryv0/", "hWGIfBFxeVO6k/S2sXj3d0"),
        ("pässwörd", "saltsalt", "i5XfNxJNeh2E8ljXycZFm0"),
        ("password", "TYiryv0/", "8BvzLUO9IfGPGGsPnAgSu1"),
    ],
)
def test_apr1_agrees_with_openssl(password: str, salt: str, expected: str) -> None:
    assert expected == apr1(password.encode(), salt.encode()).decode()


def user(name: str = "ann", salt: str = "abcdefgh", hashed: str = "cy3DSYyOwfhsyu7QOMQzd.") -> BasicUser:
    return BasicUser(name, Sensitive(salt), Sensitive(hashed))


def checker(*users: BasicUser, encryption: Literal["apr1", "sha1"] = "apr1") -> PasswordChecker:
    return PasswordChecker(users or (user(),), encryption=encryption)


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


@pytest.mark.parametrize(
    "hashed",
    [
        sha1(b"hellosalt").hex(),
        sha1(b"hellosalt").hex().upper(),
        sha1(b"salthello").hex(),
        base64.b64encode(sha1(b"hellosalt")).decode(),
        "{SHA}" + base64.b64encode(sha1(b"hellosalt")).decode(),
    ],
)
def test_sha1_is_read_in_its_common_forms(hashed: str) -> None:
    users = checker(user(salt="salt", hashed=hashed), encryption="sha1")
    assert Check.PASSED is users.check(b"ann", b"hello", caller=Caller(), now=NOW)
    assert Check.WRONG is users.check(b"ann", b"hellO", caller=Caller(), now=NOW)


@pytest.mark.parametrize(
    ("name", "password"),
    [(b"ann", b"hell"), (b"ann", b""), (b"bob", b"hello"), (b"", b""), (b"ann", b"x" * 5000), (b"annh", b"ello")],
)
def test_wrong_pair_is_refused(name: bytes, password: bytes) -> None:
    assert Check.WRONG is checker().check(name, password, caller=Caller(), now=NOW)


def test_pair_that_was_checked_is_not_hashed_again_even_by_a_later_plan() -> None:
    caller = Caller()
    for password, outcome in ((b"hello", Check.PASSED), (b"no", Check.WRONG)):
        assert outcome is checker().check(b"ann", password, caller=caller, now=NOW)
        with patch.object(passwords, "apr1", side_effect=AssertionError):
            assert outcome is checker(user(), user("bob")).check(b"ann", password, caller=caller, now=NOW)


def test_remembered_pair_does_not_outlive_its_hash_or_its_user() -> None:
    caller = Caller()
    assert Check.PASSED is checker().check(b"ann", b"hello", caller=caller, now=NOW)
    changed = checker(user(hashed=apr1(b"new", b"abcdefgh").decode()))
    assert Check.WRONG is changed.check(b"ann", b"hello", caller=caller, now=NOW)
    assert Check.WRONG is checker(user("bob")).check(b"ann", b"hello", caller=caller, now=NOW)
    assert Check.PASSED is changed.check(b"ann", b"new", caller=caller, now=NOW)


def test_caller_that_guesses_is_not_checked_any_more_and_hashes_nothing() -> None:
    users, caller = checker(), Caller(b"\x7f\0\0\1", Guesses(per_user=2))
    for guess in (b"1", b"2"):
        assert Check.WRONG is users.check(b"ann", guess, caller=caller, now=NOW)
    with patch.object(passwords, "apr1", side_effect=AssertionError):
        assert Check.NOT_CHECKED is users.check(b"ann", b"3", caller=caller, now=NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Basic " + base64.b64encode(b"ann:a:b"), (b"ann", b"a:b")),
        (b"basic  " + base64.b64encode(b":"), (b"", b"")),
        (b"Basic " + base64.b64encode(b"ann"), None),
        (b"Basic !!!", None),
        (b"Bearer abc", None),
        (b"", None),
    ],
)
def test_basic_header_is_read(header: bytes, expected: tuple[bytes, bytes] | None) -> None:
    assert expected == parse_basic(header)


# -- as a step of a plan


def basic_step(realm: str = "gloo", name: str = "pw") -> BasicAuthStep:
    return BasicAuthStep(name, realm, "apr1", (user(),))


def pair(text: str) -> tuple[str, str]:
    return ("authorization", "Basic " + base64.b64encode(text.encode()).decode())


def test_right_password_passes_and_is_not_forwarded() -> None:
    served = config(route(), auth_plans=(auth_plan(basic_step()),))
    talk = Talk(served, request("GET", "/", pair("ann:hello")))
    assert talk.sent == {"host": "gw.example"}
    assert talk.exchange.facts.credential == "ann"
    assert talk.exchange.credentials_used == ()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "password_missing"),
        ([("authorization", "Bearer x")], "password_missing"),
        ([pair("ann:no")], "password_wrong"),
        ([pair("ann:hello"), pair("ann:hello")], "key_repeated"),
    ],
)
def test_anything_else_is_refused_with_the_realm(headers: list[tuple[str, str]], reason: str) -> None:
    reply = Talk(config(route(), auth_plans=(auth_plan(basic_step()),)), request("GET", "/", *headers)).reply
    assert (401, b"", reason) == (reply.status, reply.body, reply.reason)
    assert as_dict(reply.headers) == {"www-authenticate": 'Basic realm="gloo"'}


def test_realm_can_not_break_the_header() -> None:
    served = config(route(), auth_plans=(auth_plan(basic_step('a"b\\c\r\nx: y')),))
    assert as_dict(Talk(served, request()).reply.headers) == {"www-authenticate": 'Basic realm="a\\"b\\\\cx: y"'}


def test_too_many_guesses_are_refused_with_a_reason_of_their_own() -> None:
    served, caller = config(route(), auth_plans=(auth_plan(basic_step()),)), Caller(guesses=Guesses(per_user=2))
    replies = [Talk(served, request("GET", "/", pair(f"ann:{guess}")), caller=caller).reply for guess in range(3)]
    assert [(reply.status, reply.reason) for reply in replies] == [
        (401, "password_wrong"),
        (401, "password_wrong"),
        (429, "password_checks_exhausted"),
    ]


def test_forwarded_password_stays_where_the_policy_says_so() -> None:
    served = config(route(), auth_plans=(auth_plan(basic_step(), forward_credential=True),))
    assert "authorization" in Talk(served, request("GET", "/", pair("ann:hello"))).sent


def test_key_or_password_will_do() -> None:
    plan = auth_plan(key_step(name="key"), basic_step(), expression=BoolOr((BoolStep("key"), BoolStep("pw"))))
    assert "host" in Talk(config(route(), auth_plans=(plan,)), request("GET", "/", pair("ann:hello"))).sent
