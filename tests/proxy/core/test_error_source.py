"""Who answered: errors of the gateway say so, and no upstream can."""

from __future__ import annotations

import pytest

from tests.proxy.core.conversation import KEY, Talk, as_dict, config, open_route, request, route
from wardgate.ir import DirectResponse, Redirect, Refuse, RouteAction
from wardgate.proxy.core.http1.response_reader import ResponseReader
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.replies import REFUSALS

NAME = "wardgate-error-source"


def test_each_refusal_but_the_recorded_401s_names_the_gateway() -> None:
    silent = {reply.status for reply in REFUSALS.values() if NAME not in as_dict(reply.headers)}
    naming = {reply.status for reply in REFUSALS.values() if as_dict(reply.headers).get(NAME) == "gateway"}
    assert ({401}, set()) == (silent, silent & naming)
    assert {403, 404, 413, 429, 502, 503, 504} <= naming


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Refuse(500, "policy_invalid"), "gateway"),
        (Refuse(403, "foreign_guard"), "gateway"),
        (Refuse(401, "auth_required"), None),
        (DirectResponse(503, "later"), "gateway"),
        (DirectResponse(404), "gateway"),
        (DirectResponse(200, "hi"), None),
        (Redirect(301, host="elsewhere.example"), None),
    ],
)
def test_answers_of_a_config_name_the_gateway_where_they_are_errors(action: RouteAction, expected: str | None) -> None:
    reply = Talk(config(open_route(action)), request()).reply
    assert expected == as_dict(reply.headers).get(NAME)


def test_recorded_401_is_untouched() -> None:
    reply = Talk(config(route()), request("GET", "/", ("api-key", KEY + b"x"))).reply
    assert {"www-authenticate": "API key is missing or invalid"} == as_dict(reply.headers)


@pytest.mark.parametrize("name", [b"wardgate-error-source", b"Wardgate-Error-Source", b"wardgate_error_source"])
def test_upstream_cannot_speak_as_the_gateway(name: bytes) -> None:
    reader = ResponseReader(max_head=1000, max_informational=3)
    reader.begin(head_request=False)
    response = b"HTTP/1.1 503 No\r\n" + name + b": gateway\r\nx: y\r\ncontent-length: 0\r\n\r\n"
    (head,) = reader.receive(response)
    assert isinstance(head, Incoming)
    assert [(b"x", b"y")] == head.headers


@pytest.mark.parametrize(
    ("reason", "seconds"),
    [("overload", "1"), ("caller_over_share", "1"), ("password_checks_exhausted", "60"), ("no_route", None)],
)
def test_answers_say_when_to_try_again_where_it_is_known(reason: str, seconds: str | None) -> None:
    replies = {str(each): reply for each, reply in REFUSALS.items()}
    assert seconds == as_dict(replies[reason].headers).get("retry-after")
