"""The finished lab, as ``examples/huggingface`` holds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import InferenceClient

from tests.examples.servers import Gateway, Provider

pytestmark = pytest.mark.slow

EXAMPLE = "huggingface"
TOKEN = "hf_not-a-real-token-4f1c"
KEY = {"api-key": "mysecretkey"}
QUESTION = b'{"inputs": "Explain in 1-2 sentences why a gateway should hold the tokens"}'


@pytest.fixture
def client(gateway: Gateway, closed_session: None) -> Iterator[InferenceClient]:
    del closed_session
    with InferenceClient(model=f"{gateway.url}/huggingface", headers=KEY) as opened:
        yield opened


def test_get_without_a_key_is_refused_as_recorded(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/huggingface")
    assert (401, b"") == (answer.status, answer.body)
    assert "API key is missing or invalid" == answer.headers["www-authenticate"]
    assert "0" == answer.headers["content-length"]


def test_head_without_a_key_is_refused_as_recorded(gateway: Gateway) -> None:
    answer = gateway.ask("HEAD", "/huggingface")
    assert (401, b"") == (answer.status, answer.body)
    assert "API key is missing or invalid" == answer.headers["www-authenticate"]


def test_a_wrong_key_is_refused_in_the_same_words(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/huggingface", headers={"api-key": "guessed"})
    assert (401, "API key is missing or invalid") == (answer.status, answer.headers["www-authenticate"])


def test_a_refused_request_does_not_reach_the_provider(gateway: Gateway, provider: Provider) -> None:
    before = len(provider.received())
    gateway.ask("POST", "/huggingface", body=QUESTION)
    assert before == len(provider.received())


def test_the_provider_gets_its_token_and_not_the_callers_key(gateway: Gateway, provider: Provider) -> None:
    answer = gateway.ask("POST", "/huggingface", body=QUESTION, headers=KEY)
    headers = provider.last_headers()
    assert 200 == answer.status
    assert [f"Bearer {TOKEN}"] == headers["authorization"]
    assert [TOKEN] == headers["x-api-key"]
    assert "api-key" not in headers
    assert "mysecretkey" not in str(headers)


def test_what_a_caller_forges_does_not_arrive(gateway: Gateway, provider: Provider) -> None:
    forged = {"x-api-key": "forged", "Authorization": "Bearer forged", "x-user-id": "forged"}
    gateway.ask("POST", "/huggingface", body=QUESTION, headers=KEY | forged)
    assert [f"Bearer {TOKEN}"] == provider.last_headers()["authorization"]
    assert "forged" not in str(provider.received()[-1])


def test_the_provider_is_asked_at_its_own_name_and_path(gateway: Gateway, provider: Provider) -> None:
    gateway.ask("GET", "/huggingface", headers=KEY)
    last = provider.received()[-1]
    assert ("/models/openai-community/gpt2", True) == (last["path"], last["secure"])
    assert ["api-inference.huggingface.co"] == provider.last_headers()["host"]


def test_the_providers_client_gets_its_answer(client: InferenceClient, provider: Provider) -> None:
    assert "The key stayed at the gate." == client.text_generation("hello")
    assert [f"Bearer {TOKEN}"] == provider.last_headers()["authorization"]


def test_the_providers_client_streams(client: InferenceClient) -> None:
    assert ["The ", "key ", "stayed ", "at ", "the ", "gate."] == list(client.text_generation("hello", stream=True))
