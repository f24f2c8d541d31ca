"""``examples/openai``: the provider's own client, which knows only its base URL and the caller's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.examples.servers import EXAMPLES, Gateway, Provider

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionUserMessageParam

pytestmark = pytest.mark.slow

EXAMPLE = "openai"
TOKEN = "Bearer sk-not-a-real-token-7a2e"
Connect: TypeAlias = "Callable[..., OpenAI]"
MESSAGES: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def connect(gateway: Gateway) -> Iterator[Connect]:
    from openai import OpenAI  # late, as in test_anthropic.py

    with ExitStack() as opened:

        def connect(key: str = "team-red-key", to: Gateway = gateway) -> OpenAI:
            return opened.enter_context(OpenAI(base_url=f"{to.url}/openai/v1", api_key=key, max_retries=0))

        yield connect


def test_a_callers_key_buys_an_answer(connect: Connect, provider: Provider) -> None:
    answer = connect().chat.completions.create(model="stand-in-small", messages=MESSAGES)
    headers = provider.last_headers()
    assert "The key stayed at the gate." == answer.choices[0].message.content
    assert ([TOKEN], ["api.openai.com"]) == (headers["authorization"], headers["host"])
    assert "team-red-key" not in str(provider.received()[-1])


def test_a_key_that_is_sent_in_other_places_too_reaches_no_provider(connect: Connect, provider: Provider) -> None:
    client = connect().with_options(
        default_headers={"api-key": "team-red-key", "x-goog-api-key": "team-red-key", "Cookie": "key=team-red-key"},
        default_query={"key": "team-red-key", "api-version": "2024-10-21"},
    )
    assert ["stand-in-small", "stand-in-large"] == [each.id for each in client.models.list()]
    received = provider.received()[-1]
    assert "/v1/models?api-version=2024-10-21" == received["path"]
    assert "team-red-key" not in str(received)
    assert {"api-key", "x-goog-api-key", "cookie"}.isdisjoint(provider.last_headers())


def test_no_key_is_refused(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/openai/v1/models")
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


def test_a_wrong_key_is_an_authentication_error(connect: Connect) -> None:
    from openai import AuthenticationError

    with pytest.raises(AuthenticationError):
        connect(key="sk-guessed").models.list()


def test_the_providers_own_token_is_no_key(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/openai/v1/models", headers={"Authorization": TOKEN})
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


@pytest.mark.parametrize("value", ["Bearer team-red-key", "bearer team-red-key", "team-red-key"])
def test_the_word_before_the_key_may_be_absent_or_in_any_case(gateway: Gateway, value: str) -> None:
    assert 200 == gateway.ask("GET", "/openai/v1/models", headers={"Authorization": value}).status


def test_other_endpoints_go_through_as_well(connect: Connect, provider: Provider) -> None:
    client = connect()
    assert ["stand-in-small", "stand-in-large"] == [each.id for each in client.models.list()]
    assert "The key stayed at the gate." == client.responses.create(model="m", input="hello").output_text
    assert "/v1/responses" == provider.received()[-1]["path"]


def test_a_stream_arrives_complete(connect: Connect) -> None:
    with connect().chat.completions.create(model="stand-in-small", messages=MESSAGES, stream=True) as stream:
        assert "The key stayed at the gate." == "".join(each.choices[0].delta.content or "" for each in stream)


def test_a_stream_arrives_piece_by_piece(connect: Connect, tmp_path: Path) -> None:
    holding = Provider(tmp_path, "--hold-streams")
    with holding.program:
        through = Gateway(EXAMPLES / EXAMPLE, holding)
        with (
            through.program,
            connect(to=through).chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream,
        ):
            first = next(stream)
            holding.ask("POST", "/__release")
            rest = [each.choices[0].delta.content or "" for each in stream]
    assert "assistant" == first.choices[0].delta.role
    assert "The key stayed at the gate." == "".join(rest)
