"""The lab at the provider's present address, as ``examples/huggingface-router`` holds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import InferenceClient

from tests.examples.servers import Gateway, Provider

pytestmark = pytest.mark.slow

EXAMPLE = "huggingface-router"
TOKEN = "hf_not-a-real-token-4f1c"
MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(gateway: Gateway, closed_session: None) -> Iterator[InferenceClient]:
    del closed_session
    with InferenceClient(base_url=f"{gateway.url}/huggingface/v1", headers={"api-key": "mysecretkey"}) as opened:
        yield opened


def test_without_a_key_is_refused(gateway: Gateway) -> None:
    answer = gateway.ask("POST", "/huggingface/v1/chat/completions", body=b"{}")
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


def test_the_providers_client_gets_its_answer(client: InferenceClient, provider: Provider) -> None:
    answer = client.chat_completion(MESSAGES)
    headers = provider.last_headers()
    assert "The key stayed at the gate." == answer.choices[0].message.content
    assert (["router.huggingface.co"], [f"Bearer {TOKEN}"]) == (headers["host"], headers["authorization"])
    assert "/v1/chat/completions" == provider.received()[-1]["path"]
    assert "mysecretkey" not in str(headers)


def test_the_providers_client_streams(client: InferenceClient) -> None:
    pieces = [each.choices[0].delta.content or "" for each in client.chat_completion(MESSAGES, stream=True)]
    assert "The key stayed at the gate." == "".join(pieces)


def test_a_neighbouring_path_is_not_routed(gateway: Gateway) -> None:
    assert 404 == gateway.ask("GET", "/huggingface-other", headers={"api-key": "mysecretkey"}).status
