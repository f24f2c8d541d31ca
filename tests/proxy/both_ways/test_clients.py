"""The fast way carries the requests that real clients send to the lab's route and to the providers' routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import aiohttp
import pytest

from tests.proxy.io.bench import CREDENTIAL, KEY, PLAN, answering, config, open_route, providing, routed, run, serving
from wardgate.ir import ApiKeyStep, GatewayConfig, MetadataHeader
from wardgate.proxy.settings import Limits, ProxySettings

COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
REQUESTS = 4


def guarded_by(header: str, port: int) -> GatewayConfig:
    """A route that reads the key from a header and puts the provider's token into it."""
    step = ApiKeyStep("config_0", header, "lab-keys", (MetadataHeader("authorization", "token"),))
    plan = replace(PLAN, steps=(step,))
    return config(port, listeners=routed(open_route(auth="plan")), auth_plans=(plan,), credentials=(CREDENTIAL,))


async def openai(base: str) -> list[object]:
    from openai import AsyncOpenAI  # late: a second and a half in each of the processes that collect the tests

    contents: list[object] = []
    async with AsyncOpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0) as client:
        for number in range(REQUESTS):
            said = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x" * number}])
            contents.append(said.choices[0].message.content)
    return contents


async def anthropic(base: str) -> list[object]:
    from anthropic import AsyncAnthropic
    from anthropic.types import TextBlock

    contents: list[object] = []
    async with AsyncAnthropic(base_url=base, api_key=KEY, max_retries=0) as client:
        for number in range(1, REQUESTS + 1):
            said = await client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "x" * number}]
            )
            assert isinstance(said.content[0], TextBlock)
            contents.append(said.content[0].text)
    return contents


async def lab(base: str) -> list[object]:
    """The lab's requests, as ``curl`` sends them but for its name."""
    contents: list[object] = []
    async with aiohttp.ClientSession(base) as session:
        for number in range(REQUESTS):
            async with session.get(f"/api/models?limit={number}", headers={"api-key": KEY}) as response:
                contents.append((await response.json())["content"])
    return contents


@pytest.mark.parametrize("remembered", [0, 4096])
@pytest.mark.parametrize(
    ("ask", "header", "answer"),
    [
        (openai, "authorization", COMPLETION),
        (anthropic, "authorization", MESSAGE),
        (lab, "api-key", {"content": "hi"}),
    ],
    ids=["openai", "anthropic", "lab"],
)
def test_requests_of_clients_take_the_fast_way(
    ask: Callable[[str], Awaitable[list[object]]], header: str, answer: Mapping[str, object], remembered: int
) -> None:
    text = json.dumps(answer).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text)

    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(remembered_lines=remembered))
        async with providing(answering(head + text)) as provider, serving(settings) as bench:
            await bench.apply(guarded_by(header, provider.port))
            assert ["hi"] * REQUESTS == await ask(f"http://127.0.0.1:{bench.port}")
            assert REQUESTS == len(provider.received)
            assert (REQUESTS - 1 if remembered else 0) == bench.counters.prepared

    run(scenario())
