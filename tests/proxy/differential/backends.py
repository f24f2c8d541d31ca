"""The servers behind the gateway, each on a port of its own, and what reached them.

nginx and HAProxy forward what they read to a strict reader, which tells what they understood.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.cluster.ports import free_port
from tests.proxy.both_ways.origins import RequestReader
from tests.proxy.differential.recording import recorded
from tests.proxy.oddities.case import Forwarded

_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Backend:
    """``seen()`` returns all requests that reached it whole so far. ``port`` is on loopback."""

    name: str
    port: int
    seen: Callable[[], list[Forwarded]]


@asynccontextmanager
async def strict_reader() -> AsyncIterator[Backend]:
    """Run the reader that nginx and HAProxy forward to."""
    seen: list[Forwarded] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = RequestReader(any_case=True)
        while data := await _some(reader):
            for what, head, body in requests.feed(data):
                if what == "end":
                    method, target, _ = head.split(b" ", 2)
                    seen.append((method, target, body))
                    writer.write(_ANSWER)
            assert not requests.faults, requests.faults
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Backend("reader", server.sockets[0].getsockname()[1], lambda: list(seen))
    finally:
        server.close()


async def _some(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def aiohttp_server() -> AsyncIterator[Backend]:
    """Run aiohttp's server."""
    seen: list[Forwarded] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        body = await request.read()
        seen.append((request.method.encode(), request.raw_path.encode("latin-1"), body))
        return web.Response(text="ok")

    runner = web.ServerRunner(web.Server(answer, access_log=None, logger=_quiet()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Backend("aiohttp", runner.addresses[0][1], lambda: list(seen))
    finally:
        await runner.cleanup()


def _quiet() -> logging.Logger:
    """A logger for requests that are cut off on purpose."""
    logger = logging.getLogger("wardgate.differential")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


@asynccontextmanager
async def _before_the_reader(name: str, config: str, command: Sequence[str]) -> AsyncIterator[Backend]:
    """Run a proxy before the strict reader; in both texts ``{port}``, ``{behind}`` and ``{folder}`` are filled in."""
    port = free_port()
    async with strict_reader() as behind:
        with tempfile.TemporaryDirectory() as folder:
            places = {"port": port, "behind": behind.port, "folder": folder}
            _write(Path(folder, "config"), config.format(**places))
            async with _running([part.format(**places) for part in command], port=port):
                yield Backend(name, port, behind.seen)


def nginx(program: Path) -> AbstractAsyncContextManager[Backend]:
    """Run nginx before the strict reader."""
    return _before_the_reader(
        "nginx", _NGINX, [str(program), "-p", "{folder}", "-e", "stderr", "-c", "{folder}/config"]
    )


_NGINX: Final = """\
daemon off; master_process off; pid {folder}/pid; error_log stderr crit; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 100000;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


def haproxy(program: Path) -> AbstractAsyncContextManager[Backend]:
    """Run HAProxy before the strict reader."""
    return _before_the_reader("haproxy", _HAPROXY, [str(program), "-db", "-q", "-f", "{folder}/config"])


_HAPROXY: Final = """\
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server reader 127.0.0.1:{behind}
"""


@asynccontextmanager
async def python_server(name: str, command: Callable[[int], Sequence[str]]) -> AsyncIterator[Backend]:
    """Run a server that loads ``recording``; ``command`` of its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder, "records")
        environment = {
            **os.environ,
            "WARDGATE_RECORDS": str(records),
            "PYTHONPATH": str(Path(__file__).parent),
        }
        async with _running(command(port), port=port, environment=environment):
            yield Backend(name, port, lambda: recorded(records))


@asynccontextmanager
async def _running(
    command: Sequence[str], *, port: int, environment: dict[str, str] | None = None
) -> AsyncIterator[None]:
    """Run a program until the end of the block, once it listens."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await _listens(port):
                assert process.returncode is None, f"{command[0]} ended with {process.returncode}"
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.wait()


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="ascii")


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
