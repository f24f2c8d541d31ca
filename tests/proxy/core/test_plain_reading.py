"""The check that every conversation passes through: it sees plain requests, and a fast path that disagrees."""

from __future__ import annotations

import pytest

from tests.proxy.core.conversation import KEY, Talk, config, forward, open_route, post_plan, request, route
from wardgate.ir import PrefixRewrite
from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS

ASKED = ("GET", "/v1?q=1", ("user-agent", "client"), ("api-key", KEY))


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (lambda: Talk(config(route()), request(*ASKED)), True),
        (lambda: Talk(config(route()), request(*ASKED, body=True)), True),
        (lambda: Talk(config(route(forward(path_rewrite=PrefixRewrite("/x")))), request(*ASKED)), True),
        (lambda: Talk(config(route()), request("GET", "/", ("api-key", "wrong"))), False),
        (lambda: Talk(config(route()), request(*ASKED, ("x-forwarded-for", "192.0.2.1"))), False),
        (lambda: Talk(config(open_route()), request(*ASKED)), False),
        (
            lambda: Talk(
                config(route(transformations=("t",)), transformations=(post_plan(phase="pre"),)), request(*ASKED)
            ),
            False,
        ),
    ],
    ids=["the lab's", "with a body", "rewritten", "wrong key", "claims", "open", "transformed before"],
)
def test_requests_are_plain_where_nothing_but_the_key_decides(talk: object, *, expected: bool) -> None:
    assert callable(talk)
    assert expected is talk().plain.is_plain


def test_fast_path_that_sends_what_the_exchange_does_not_is_found_out() -> None:
    talk = Talk(config(route()), request(*ASKED))
    assert isinstance(talk.step, Outgoing)
    talk.step.headers.append((b"x-more", b"1"))
    with pytest.raises(AssertionError):
        talk.plain.check(talk.step)


def test_fast_path_that_sends_what_the_exchange_refuses_is_found_out() -> None:
    talk = Talk(config(route()), request(*ASKED))
    with pytest.raises(AssertionError, match="Sent on as plain"):
        talk.plain.check(REFUSALS[ReplyReason.KEY_UNKNOWN])
