"""OpenAI's realtime client through a real gateway: a WebSocket, the caller's key in and the provider's token out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus

from tests.proxy.io.bench import CREDENTIAL, KEY, PLAN, Bench, config, open_route, routed, run, serving
from wardgate.ir import ApiKeyStep, MetadataEntry, MetadataHeader
from wardgate.sensitive import Sensitive

TOKEN = "Bearer sk-provider-token"
STEP = ApiKeyStep("config_0", "authorization", "lab-keys", (MetadataHeader("authorization", "token", required=True),))
OPENAI_KEY = replace(CREDENTIAL, metadata=(MetadataEntry("token", Sensitive(TOKEN)),))


class Provider:
    """Answers as the realtime API does, and keeps what the handshakes brought."""

    def __init__(self) -> None:
        self.port = 0
        self.handshakes: list[tuple[str, str]] = []

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.handshakes.append((socket.request.path, socket.request.headers["authorization"]))
        await socket.send(json.dumps({"type": "session.created", "event_id": "e1", "session": {"type": "realtime"}}))
        async for message in socket:
            asked = json.loads(message)
            for word in ("The key ", "stayed ", "at the gate."):
                event = {"type": "response.output_text.delta", "delta": word, "event_id": "e", "item_id": "i"}
                await socket.send(json.dumps(event | {"response_id": "r", "output_index": 0, "content_index": 0}))
            await socket.send(json.dumps({"type": "response.done", "event_id": "e", "response": {"id": asked["type"]}}))


@asynccontextmanager
async def realtime() -> AsyncIterator[tuple[Bench, Provider]]:
    provider = Provider()
    async with serve(provider.handle, "127.0.0.1", 0) as server, serving() as bench:
        provider.port = next(iter(server.sockets)).getsockname()[1]
        await bench.apply(
            config(
                provider.port,
                listeners=routed(open_route(auth="plan")),
                auth_plans=(replace(PLAN, steps=(STEP,)),),
                credentials=(OPENAI_KEY,),
            )
        )
        yield bench, provider


def client(bench: Bench, *, key: str = KEY) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=f"http://127.0.0.1:{bench.port}/v1")


def test_realtime_client_talks_with_its_own_key_alone() -> None:
    async def scenario() -> None:
        async with realtime() as (bench, provider):
            words = ""
            async with client(bench) as openai, openai.realtime.connect(model="gpt-realtime") as connection:
                assert (await connection.recv()).type == "session.created"
                await connection.response.create()
                async for event in connection:
                    if event.type == "response.done":
                        break
                    assert event.type == "response.output_text.delta"
                    words += event.delta
            assert words == "The key stayed at the gate."
            assert provider.handshakes == [("/v1/realtime?model=gpt-realtime", TOKEN)]

    run(scenario())


def test_realtime_client_with_a_bad_key_is_refused() -> None:
    async def scenario() -> None:
        async with realtime() as (bench, provider), client(bench, key="wrong") as openai:
            with pytest.raises(InvalidStatus) as refused:
                async with openai.realtime.connect(model="gpt-realtime"):
                    pass
            assert refused.value.response.status_code == 401
            assert provider.handshakes == []

    run(scenario())
