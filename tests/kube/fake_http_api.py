"""An HTTP server that answers as a test says: hangs, stammers and cuts, or has a ready answer for each path."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from wardgate.kube.api.access import Access
from wardgate.kube.api.client import KubeClient

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeHttpApi:
    """``tokens``: what successive loads of the credentials give; the last one stays."""

    def __init__(self, answer: Answer, url: str = "") -> None:
        self._answer = answer
        self.requests: list[str] = []
        self.seen_tokens: list[str] = []
        self.peers: list[object] = []
        self.tokens = ["first"]
        self.loads = 0
        self.url = url

    async def load(self) -> Access:
        self.loads += 1
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        return Access(self.url, authorization=f"Bearer {token}" if token else "")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.requests.append(f"{request.method} {request.path_qs}")
        self.seen_tokens.append(request.headers.get("Authorization", ""))
        self.peers.append(request.transport.get_extra_info("peername"))
        return await self._answer(request)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[FakeHttpApi, KubeClient]]:
    """Run it, with a client of it."""
    api = FakeHttpApi(answer)
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", api.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    client = KubeClient(api.load, user_agent="tests")
    try:
        yield api, client
    finally:
        await client.close()
        await runner.cleanup()


@contextmanager
def serving_beside(answer: Answer) -> Iterator[str]:
    """Run it in a thread, for a command that has a loop of its own; gives the URL."""
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        ending = asyncio.Event()
        async with serving(answer) as (api, _):
            started.set_result((api.url, asyncio.get_running_loop(), ending))
            await ending.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    url, loop, ending = started.result(timeout=10)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


async def for_ever(request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError
