"""Refusals on routes to a known provider: its own client raises its typed exception, with the gateway's sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.proxy.io.bench import answering, config, providing, run, serving
from wardgate.ir import Endpoint, Upstream
from wardgate.proxy.core.provider_forms import ANTHROPIC, OPENAI, ProviderForm
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.io.downstream.response_writer import reply_bytes
from wardgate.proxy.settings import ProxySettings

pytestmark = pytest.mark.slow

ERRORS = {
    ReplyReason.TOKEN_NOT_SHARED: "PermissionDeniedError",
    ReplyReason.NO_ROUTE: "NotFoundError",
    ReplyReason.CALLER_OVER_SHARE: "RateLimitError",
    ReplyReason.UPSTREAM_UNREACHABLE: "InternalServerError",
    ReplyReason.OVERLOAD: "InternalServerError",
    ReplyReason.UPSTREAM_TIMEOUT: "InternalServerError",
    ReplyReason.KEY_MISSING: "AuthenticationError",
}


@dataclass
class Client:
    """A provider's client: how it asks, and the module of its exceptions."""

    ask: Callable[[int], Awaitable[object]]
    module: Any
    form: ProviderForm
    host: str


async def _ask_openai(port: int) -> object:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="k", max_retries=0) as client:
        return await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])


async def _ask_anthropic(port: int) -> object:
    from anthropic import AsyncAnthropic

    async with AsyncAnthropic(base_url=f"http://127.0.0.1:{port}", api_key="k", max_retries=0) as client:
        return await client.messages.create(model="m", max_tokens=16, messages=[{"role": "user", "content": "hello"}])


@pytest.fixture(params=["openai", "anthropic"])
def client(request: pytest.FixtureRequest) -> Client:
    if request.param == "openai":
        import openai  # late, as in test_anthropic.py

        return Client(_ask_openai, openai, OPENAI, "api.openai.com")
    import anthropic

    return Client(_ask_anthropic, anthropic, ANTHROPIC, "api.anthropic.com")


@contextmanager
def raising(client: Client, reason: ReplyReason) -> Iterator[None]:
    reply = client.form.of(REFUSALS[reason])
    with pytest.raises(client.module.APIStatusError) as raised:
        yield
    error = raised.value
    assert reply.status == error.status_code
    assert isinstance(error, getattr(client.module, ERRORS[reason]))
    assert reply.text in str(error)
    if reply.text:
        assert isinstance(error.body, dict)
        assert "gateway" == error.response.headers["wardgate-error-source"]
    if client.form is OPENAI and reply.text:
        assert reason == error.code


@pytest.mark.parametrize("reason", ERRORS)
def test_client_raises_its_typed_exception(client: Client, reason: ReplyReason) -> None:
    answer = reply_bytes(client.form.of(REFUSALS[reason]), (), close=False)

    async def scenario() -> None:
        async with providing(answering(answer)) as gateway:
            with raising(client, reason):
                await client.ask(gateway.port)

    run(scenario())


def test_client_understands_a_provider_that_cannot_be_reached(client: Client) -> None:
    async def scenario() -> None:
        pins = ((f"{client.host}:80", "127.0.0.1:1"),)
        async with serving(ProxySettings(admin="", pins=pins)) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint(client.host, 80),)),)))
            with raising(client, ReplyReason.UPSTREAM_UNREACHABLE):
                await client.ask(bench.port)

    run(scenario())
