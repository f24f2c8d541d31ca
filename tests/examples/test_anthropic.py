"""``examples/anthropic``: the provider's own client, which knows only its base URL and the caller's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.examples.servers import EXAMPLES, Gateway, Provider

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message, MessageParam

pytestmark = pytest.mark.slow

EXAMPLE = "anthropic"
TOKEN = "sk-ant-not-a-real-token-91d0"
Connect: TypeAlias = "Callable[..., Anthropic]"
MESSAGES: list[MessageParam] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def connect(gateway: Gateway) -> Iterator[Connect]:
    from anthropic import Anthropic  # late: a second and a half in each of the processes that collect the tests

    with ExitStack() as opened:

        def connect(key: str = "team-blue-key", to: Gateway = gateway) -> Anthropic:
            return opened.enter_context(Anthropic(base_url=f"{to.url}/anthropic", api_key=key, max_retries=0))

        yield connect


def text_of(message: Message) -> str:
    from anthropic.types import TextBlock

    assert isinstance(message.content[0], TextBlock)
    return message.content[0].text


def test_a_callers_key_buys_an_answer(connect: Connect, provider: Provider) -> None:
    answer = connect().messages.create(model="stand-in-small", max_tokens=16, messages=MESSAGES)
    headers = provider.last_headers()
    assert "The key stayed at the gate." == text_of(answer)
    assert ([TOKEN], ["api.anthropic.com"]) == (headers["x-api-key"], headers["host"])
    assert "authorization" not in headers
    assert "team-blue-key" not in str(provider.received()[-1])


@pytest.mark.parametrize("header", [{"x-api-key": "team-blue-key"}, {"Authorization": "Bearer team-blue-key"}])
def test_a_key_is_accepted_in_either_header(gateway: Gateway, provider: Provider, header: dict[str, str]) -> None:
    assert 200 == gateway.ask("POST", "/anthropic/v1/messages", body=b"{}", headers=header).status
    assert [TOKEN] == provider.last_headers()["x-api-key"]
    assert "team-blue-key" not in str(provider.received()[-1])


def test_a_key_beside_a_forged_token_brings_only_its_own(gateway: Gateway, provider: Provider) -> None:
    headers = {"Authorization": "Bearer team-blue-key", "x-api-key": "forged"}
    assert 200 == gateway.ask("POST", "/anthropic/v1/messages", body=b"{}", headers=headers).status
    assert [TOKEN] == provider.last_headers()["x-api-key"]
    assert "authorization" not in provider.last_headers()


def test_no_key_is_refused(gateway: Gateway) -> None:
    answer = gateway.ask("POST", "/anthropic/v1/messages", body=b"{}")
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


def test_a_wrong_key_is_an_authentication_error(connect: Connect) -> None:
    from anthropic import AuthenticationError

    with pytest.raises(AuthenticationError):
        connect(key="sk-ant-guessed").messages.create(model="m", max_tokens=16, messages=MESSAGES)


def test_the_providers_own_token_is_no_key(gateway: Gateway) -> None:
    answer = gateway.ask("POST", "/anthropic/v1/messages", body=b"{}", headers={"x-api-key": TOKEN})
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


def test_the_headers_of_the_api_itself_go_through(connect: Connect, provider: Provider) -> None:
    connect().messages.create(model="m", max_tokens=16, messages=MESSAGES)
    assert "anthropic-version" in provider.last_headers()


def test_a_stream_arrives_piece_by_piece(connect: Connect, tmp_path: Path) -> None:
    holding = Provider(tmp_path, "--hold-streams")
    with holding.program:
        through = Gateway(EXAMPLES / EXAMPLE, holding)
        with through.program:
            client = connect(to=through)
            with client.messages.create(model="m", max_tokens=16, messages=MESSAGES, stream=True) as stream:
                first = next(stream)
                holding.ask("POST", "/__release")
                rest = list(stream)
    assert "message_start" == first.type
    assert "message_stop" == rest[-1].type


def test_the_helper_for_streams_gathers_the_text(connect: Connect) -> None:
    with connect().messages.stream(model="m", max_tokens=16, messages=MESSAGES) as stream:
        assert "The key stayed at the gate." == "".join(stream.text_stream)
