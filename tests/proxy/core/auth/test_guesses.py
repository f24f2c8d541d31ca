"""Whose wrong passwords are limited, and who gets in meanwhile."""

from __future__ import annotations

from itertools import count

import pytest

from tests.proxy.core.conversation import NOW
from wardgate.ir import BasicUser
from wardgate.proxy.core.auth.caller import Caller, counted_address
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.auth.passwords import Check, PasswordChecker
from wardgate.sensitive import Sensitive

HASH = Sensitive("9a67ad4dbd5819a24edad07c68085c5c2c559c49")  # SHA1 of "saltright"
USERS = PasswordChecker(
    tuple(BasicUser(name, Sensitive("salt"), HASH) for name in ("ann", "bob", "eve")), encryption="sha1"
)

NEW = count()


def address(number: int) -> bytes:
    return counted_address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")


def attack(guesses: Guesses, where: bytes, *, users: int = 1, tries: int = 1000, now: float = NOW) -> list[Check]:
    """New wrong passwords from one address; ``users`` 1: all for ann, else as many names in turn."""
    caller = Caller(where, guesses)
    names = [b"ann"] if users == 1 else [b"user-%d" % number for number in range(users)]
    return [USERS.check(names[n % users], b"%d" % next(NEW), caller=caller, now=now) for n in range(tries)]


def innocent(guesses: Guesses, where: bytes, name: bytes = b"bob") -> Check:
    return USERS.check(name, b"right", caller=Caller(where, guesses), now=NOW)


def test_right_passwords_pass_while_three_addresses_guess() -> None:
    guesses = Guesses()
    for number in range(3):
        attack(guesses, address(number))
    assert [innocent(guesses, address(1000 + number), b"ann") for number in range(100)] == [Check.PASSED] * 100


def test_other_users_pass_at_the_address_that_guesses_for_one() -> None:
    guesses = Guesses()
    assert attack(guesses, address(1)).count(Check.WRONG) == 5
    assert innocent(guesses, address(1)) is Check.PASSED
    assert innocent(guesses, address(1), b"ann") is Check.NOT_CHECKED


def test_repeating_one_wrong_password_shuts_nobody_out() -> None:
    guesses = Guesses()
    caller = Caller(address(1), guesses)
    assert {USERS.check(b"ann", b"old", caller=caller, now=NOW) for _ in range(1000)} == {Check.WRONG}
    assert innocent(guesses, address(1), b"ann") is Check.PASSED


def test_address_that_goes_through_names_has_its_limit() -> None:
    guesses = Guesses()
    assert attack(guesses, address(1), users=100).count(Check.WRONG) == 20
    assert attack(guesses, address(1), users=100, now=NOW + 60).count(Check.WRONG) == 20
    assert innocent(guesses, address(2)) is Check.PASSED


def test_password_that_was_right_once_passes_whatever_others_do() -> None:
    guesses = Guesses()
    assert innocent(guesses, address(1)) is Check.PASSED
    attack(guesses, address(1), users=100)
    for number in range(5000):
        attack(guesses, address(number), tries=5, users=5)
    assert innocent(guesses, address(1)) is Check.PASSED


@pytest.mark.no_cover
def test_checks_of_very_many_addresses_are_bounded_together() -> None:
    guesses = Guesses()
    burst = [attack(guesses, address(number), tries=5, users=5) for number in range(20_000)]
    assert sum(each.count(Check.WRONG) for each in burst) < 11_000  # 20 for each of 512 slots
    minute = [attack(guesses, address(number), tries=1, now=NOW + number / 500) for number in range(30_000)]
    assert sum(each.count(Check.WRONG) for each in minute) < 11_000


def test_memory_is_bounded() -> None:
    guesses = Guesses()
    for number in range(20_000):
        pair = guesses.digest(b"%d" % number)
        guesses.was_right(pair)
        guesses.was_wrong(pair, address=address(number), user=b"ann", now=NOW)
    assert len(guesses._right) == len(guesses._wrong) == 8192


def test_clock_that_is_set_back_shuts_out_for_no_longer_than_a_minute() -> None:
    guesses, past = Guesses(), NOW - 10_000
    attack(guesses, address(1), users=100)
    assert attack(guesses, address(1), users=100, now=past).count(Check.WRONG) == 0
    assert attack(guesses, address(1), users=100, now=past + 60).count(Check.WRONG) == 20


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "10.0.0.1", False),
    ],
)
def test_addresses_that_one_caller_has_count_as_one(one: str, other: str, *, same: bool) -> None:
    assert (counted_address(one) == counted_address(other)) is same
