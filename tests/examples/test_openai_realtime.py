"""``examples/openai`` with the provider's realtime client: a WebSocket through real processes, TLS to the provider."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import trustme
from openai import AsyncOpenAI
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

from tests.examples.servers import EXAMPLES, Gateway
from tests.proxy.io.test_realtime import Provider

pytestmark = pytest.mark.slow

TOKEN = "Bearer sk-not-a-real-token-7a2e"


class RealtimeApi:
    """The realtime API in a thread of its own, under the provider's name."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.openai.com").configure_cert(self._context)
        self._port: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._provider = Provider()
        self._thread.start()

    @property
    def port(self) -> int:
        return self._port.result(timeout=30)

    @property
    def handshakes(self) -> list[tuple[str, str]]:
        return self._provider.handshakes

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=30)
        self._loop.close()

    async def _serve(self) -> None:
        async with serve(self._provider.handle, "127.0.0.1", 0, ssl=self._context) as server:
            self._port.set_result(next(iter(server.sockets)).getsockname()[1])
            await self._stop.wait()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealtimeApi]:
    started = RealtimeApi(tmp_path_factory.mktemp("realtime"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def gateway(api: RealtimeApi) -> Iterator[Gateway]:
    started = Gateway(EXAMPLES / "openai", api)
    with started.program:
        yield started


def client(gateway: Gateway, *, key: str = "team-red-key") -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key=key)


def test_realtime_session_goes_through_with_the_callers_key_alone(gateway: Gateway, api: RealtimeApi) -> None:
    async def talk() -> str:
        words = ""
        async with client(gateway) as openai, openai.realtime.connect(model="gpt-realtime") as session:
            assert (await session.recv()).type == "session.created"
            await session.response.create()
            async for event in session:
                if event.type != "response.output_text.delta":
                    break
                words += event.delta
        return words

    assert asyncio.run(talk()) == "The key stayed at the gate."
    assert api.handshakes == [("/v1/realtime?model=gpt-realtime", TOKEN)]


def test_realtime_session_with_a_bad_key_is_refused(gateway: Gateway, api: RealtimeApi) -> None:
    before = len(api.handshakes)

    async def begin() -> None:
        async with client(gateway, key="wrong") as openai, openai.realtime.connect(model="gpt-realtime"):
            pass

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(begin())
    assert refused.value.response.status_code == 401
    assert len(api.handshakes) == before
