"""Passwords: hashes that other tools made, the cache, the limit."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal
from unittest.mock import patch

import pytest

from tests.proxy.core.conversation import NOW, Talk, as_dict, auth_plan, config, key_step, request, route
from wardgate.ir import BasicAuthStep, BasicUser, BoolOr, BoolStep
from wardgate.proxy.core import basic
from wardgate.proxy.core.auth import BasicCheck
from wardgate.proxy.core.basic import Check, PasswordChecker, apr1, parse_basic
from wardgate.proxy.core.credential_index import CredentialIndex
from wardgate.proxy.core.messages import Reply
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


def checker(*users: BasicUser, encryption: Literal["apr1", "sha1"] = "apr1", **bounds: int) -> PasswordChecker:
    return PasswordChecker(users or (user(),), encryption=encryption, **bounds)


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
    assert Check.PASSED is users.check(b"ann", b"hello", now=NOW)
    assert Check.WRONG is users.check(b"ann", b"hellO", now=NOW)


@pytest.mark.parametrize(
    ("name", "password"),
    [(b"ann", b"hell"), (b"ann", b""), (b"bob", b"hello"), (b"", b""), (b"ann", b"x" * 5000), (b"annh", b"ello")],
)
def test_wrong_pair_is_refused(name: bytes, password: bytes) -> None:
    assert Check.WRONG is checker().check(name, password, now=NOW)


def test_verified_pair_is_not_hashed_again() -> None:
    users = checker()
    assert Check.PASSED is users.check(b"ann", b"hello", now=NOW)
    with patch.object(basic, "apr1", side_effect=AssertionError):
        assert Check.PASSED is users.check(b"ann", b"hello", now=NOW)


def test_cache_is_bounded_and_forgets_the_oldest() -> None:
    users = checker(user(), user("bob"), cache_size=1)
    users.check(b"ann", b"hello", now=NOW)
    users.check(b"bob", b"hello", now=NOW)
    assert len(users._verified) == 1
    with patch.object(basic, "apr1", return_value=b"") as hashing:
        assert Check.PASSED is users.check(b"bob", b"hello", now=NOW)
        assert Check.WRONG is users.check(b"ann", b"hello", now=NOW)
    assert hashing.call_count == 1


def test_wrong_passwords_are_limited_per_second() -> None:
    users = checker(user(), user("bob"), failures_per_second=2)
    assert Check.PASSED is users.check(b"bob", b"hello", now=NOW)
    for _ in range(2):
        assert Check.WRONG is users.check(b"ann", b"no", now=NOW)
    assert Check.NOT_CHECKED is users.check(b"ann", b"hello", now=NOW + 0.5)
    assert Check.PASSED is users.check(b"bob", b"hello", now=NOW + 0.5)
    assert Check.PASSED is users.check(b"ann", b"hello", now=NOW + 1)


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


def test_exhausted_checks_are_an_overload() -> None:
    check = BasicCheck(basic_step())
    arrived = request("GET", "/", pair("ann:no")).headers
    outcomes = [check.check(arrived, CredentialIndex(), now=NOW) for _ in range(21)]
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Reply)]
    assert [*["password_wrong"] * 20, "password_checks_exhausted"] == reasons


def test_forwarded_password_stays_where_the_policy_says_so() -> None:
    served = config(route(), auth_plans=(auth_plan(basic_step(), forward_credential=True),))
    assert "authorization" in Talk(served, request("GET", "/", pair("ann:hello"))).sent


def test_key_or_password_will_do() -> None:
    plan = auth_plan(key_step(name="key"), basic_step(), expression=BoolOr((BoolStep("key"), BoolStep("pw"))))
    assert "host" in Talk(config(route(), auth_plans=(plan,)), request("GET", "/", pair("ann:hello"))).sent
