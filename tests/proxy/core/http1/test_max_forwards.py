"""OPTIONS goes as many hops as its caller says, and to nobody without a key."""

from __future__ import annotations

import pytest

from tests.proxy.core.conversation import KEY, Talk, auth_plan, config, credential, request, route
from wardgate.proxy.core.reasons import ReplyReason

GUARDED = config(route(), auth_plans=(auth_plan(),), credentials=(credential(),))


def talk(method: str, *headers: tuple[str, str | bytes]) -> Talk:
    return Talk(GUARDED, request(method, "/", *headers))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("max-forwards", "1", "0"), ("max-forwards", "0010", "9"), ("max_forwards", "7", "6")],
)
def test_options_goes_on_with_one_hop_less(name: str, value: str, expected: str) -> None:
    sent = talk("OPTIONS", ("api-key", KEY), (name, value)).sent
    assert expected == sent["max-forwards"]
    assert "max_forwards" not in sent


def test_options_without_a_hop_left_is_answered_here() -> None:
    reply = talk("OPTIONS", ("api-key", KEY), ("max-forwards", "0")).reply
    assert (200, ReplyReason.MAX_FORWARDS, b"") == (reply.status, reply.reason, reply.body)


def test_options_without_a_key_is_refused_whatever_is_left() -> None:
    assert 401 == talk("OPTIONS", ("max-forwards", "0")).reply.status


@pytest.mark.parametrize("values", [("x",), ("-1",), ("",), ("1", "1"), ("1.5",), ("1" * 19,)])
def test_hops_that_cannot_be_counted_down_are_refused(values: tuple[str, ...]) -> None:
    given = [("max-forwards", value) for value in values]
    assert ReplyReason.BAD_HEADER == talk("OPTIONS", ("api-key", KEY), *given).reply.reason


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_other_methods_may_carry_it_untouched(method: str) -> None:
    assert "0" == talk(method, ("api-key", KEY), ("max-forwards", "0")).sent["max-forwards"]


def test_options_without_it_is_untouched() -> None:
    assert "max-forwards" not in talk("OPTIONS", ("api-key", KEY)).sent
