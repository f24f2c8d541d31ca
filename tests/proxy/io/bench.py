"""A gateway in this process, with real sockets on both sides: callers written byte by byte, upstreams by script."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from ssl import SSLContext
from typing import Any, TypeAlias, TypeVar

import uvloop

from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    Endpoint,
    Forward,
    GatewayConfig,
    Guard,
    Listener,
    MessageTemplate,
    MetadataEntry,
    MetadataHeader,
    Route,
    TransformationPlan,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.proxy.access_log import AccessLog
from wardgate.proxy.assembly import Assembled
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.downstream.connection import Downstream
from wardgate.proxy.io.gateway import Gateway
from wardgate.proxy.io.upstream.name_cache import Lookup
from wardgate.proxy.settings import ProxySettings
from wardgate.sensitive import Sensitive

T = TypeVar("T")
PORT = 8080
KEY = "mysecretkey"
TOKEN = "hf_provider_token"
DEADLINE = 60.0
"""Seconds after which a test that waits for a socket fails instead of hanging. It takes a few; a loaded machine may
need many more."""

Script: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(work: Coroutine[object, object, T]) -> T:
    """Run a test's coroutine on the product's loop, bounded in time."""

    async def bounded() -> T:
        async with asyncio.timeout(DEADLINE):
            return await work

    return uvloop.run(bounded())


class Clock:
    """A clock that stands until the test moves it. ``step``: seconds that each look at it takes."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0
        self.step = 0.0

    def __call__(self) -> float:
        self.at += self.step
        return self.at

    def pass_time(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Provider:
    """A scripted upstream: what it received, and how many connections it took."""

    script: Script
    port: int = 0
    connections: int = 0
    received: list[bytes] = field(default_factory=list)
    """The heads of the requests, as they came."""
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """Read a head and, by its framing, a body; return the head."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.received.append(head)
        lower = head.lower()
        body = b""
        if b"transfer-encoding: chunked" in lower:
            body = await reader.readuntil(b"0\r\n\r\n")
        elif b"content-length: " in lower:
            length = int(lower.split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        self.bodies.append(body)
        return head


def answering(response: bytes) -> Callable[[Provider], Script]:
    """Answer every request of a connection with the same bytes."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                writer.write(response)
                await writer.drain()

        return script

    return make


def silent(provider: Provider) -> Script:
    """Take requests and never answer."""

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await provider.read_request(reader)
        await reader.read()

    return script


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok"


@asynccontextmanager
async def providing(make: Callable[[Provider], Script], *, ssl: SSLContext | None = None) -> AsyncIterator[Provider]:
    """Run a scripted upstream on a free port."""
    provider = Provider(script=lambda _r, _w: _never())
    provider.script = make(provider)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=ssl)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()


async def _never() -> None:
    raise AssertionError


def upstream(port: int) -> Upstream:
    return Upstream("provider", (Endpoint("127.0.0.1", port),))


def open_route(**changes: Any) -> Route:
    route = Route("lab", Forward((WeightedUpstream("provider", 1),)))
    return replace(route, **changes)


def config(port: int, **changes: Any) -> GatewayConfig:
    """One listener, one open route to a provider on loopback."""
    base = GatewayConfig(
        listeners=(Listener("main", PORT, (VirtualHost(("*",), (open_route(),)),)),),
        upstreams=(upstream(port),),
        guard=Guard(allow_loopback=True),
    )
    return replace(base, **changes)


def routed(*routes: Route) -> tuple[Listener, ...]:
    return (Listener("main", PORT, (VirtualHost(("*",), routes),)),)


PLAN = AuthPlan(
    "plan",
    (ApiKeyStep("config_0", "api-key", "lab-keys", (MetadataHeader("x-api-key", "token"),)),),
    policy="gloo-mesh-gateways/huggingface-apikey",
)
CREDENTIAL = Credential(
    "lab-keys",
    sha256(KEY.encode()).hexdigest(),
    "default",
    "api-huggingface-key",
    metadata=(MetadataEntry("token", Sensitive(TOKEN)),),
)


def guarded(port: int, **changes: Any) -> GatewayConfig:
    """The same behind an API key."""
    return config(port, listeners=routed(open_route(auth="plan")), auth_plans=(PLAN,), **changes)


def reading_body(port: int) -> GatewayConfig:
    """A route whose plan reads the request's body and doubles it."""
    plan = TransformationPlan(
        "double",
        "post",
        request=MessageTemplate(body_mode="template", body="{{ body() }}{{ body() }}", parse_body="DontParse"),
    )
    return config(port, listeners=routed(open_route(transformations=("double",))), transformations=(plan,))


@dataclass
class Bench:
    """A gateway and the port it listens on."""

    gateway: Gateway
    port: int
    clock: Clock
    counters: Counters
    lines: list[bytes]
    log: AccessLog
    revision: int = 0
    callers: list[Caller] = field(default_factory=list)

    async def apply(self, new: GatewayConfig) -> tuple[str, ...]:
        self.revision += 1
        index = CredentialIndex.of(new.credentials, new.token_sources)
        routes = replace(new, credentials=())
        return await self.gateway.apply(Assembled(routes=routes, routes_hash=str(self.revision), credentials=index))

    async def connect(self, *, address: str = "127.0.0.1") -> Caller:
        """Connect from an address of the loopback network."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        caller = Caller(reader, writer)
        self.callers.append(caller)
        return caller

    async def exchange(self, request: bytes) -> bytes:
        """Send a request on a connection of its own and read until the gateway closes."""
        caller = await self.connect()
        await caller.send(request)
        return await caller.rest()

    @property
    def connections(self) -> tuple[Downstream, ...]:
        """Callers' connections at the moment."""
        return tuple(one for one in self.gateway.context.callers.open if isinstance(one, Downstream))

    @property
    def handshakes(self) -> int:
        """Connections whose handshake goes on at the moment."""
        return self.gateway.context.ports._handshakes.total

    @property
    def buffered(self) -> int:
        """Bytes of bodies held at the moment."""
        return self.gateway.context.bodies.total

    @property
    def has_begun_body(self) -> bool:
        """Whether the beginning of a body waits for the rest: collected, or held for the fast path."""
        held = (one._fast is not None and one._fast.held for one in self.connections)
        return self.buffered > 0 or any(held)

    def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(seconds)
        self.gateway.tick()

    async def abandoned(self) -> None:
        """Wait until the gateway knows that its callers have gone: who waits for a response is asked after a second."""
        while self.connections:
            self.pass_time(0.05)
            await asyncio.sleep(0.001)


@dataclass
class Caller:
    """One raw connection to the gateway."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def response(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of a response that has a length or none."""
        head = await self.head()
        lower = head.lower()
        length = int(lower.split(b"content-length: ")[1].split(b"\r\n")[0]) if b"content-length: " in lower else 0
        return int(head.split(b" ")[1]), head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        try:
            return await self.reader.read()
        except ConnectionError:
            return b"<reset>"

    def end_requests(self) -> None:
        """Say that no more requests follow."""
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()


class Way:
    """Which way the requests of a test take: the fast one where they can, or all of them the general one."""

    is_general = False

    def of(self, settings: ProxySettings) -> ProxySettings:
        """Return the settings by which they do."""
        if not self.is_general:
            return settings
        return replace(settings, limits=replace(settings.limits, remembered_lines=0))


WAY = Way()


@asynccontextmanager
async def serving(
    settings: ProxySettings | None = None,
    *,
    report: Callable[[str], None] = lambda _: None,
    lookup: Lookup | None = None,
) -> AsyncIterator[Bench]:
    """Run a gateway without a config yet."""
    lines: list[bytes] = []
    log = AccessLog(write=lines.append, limit=1024 * 1024)
    log.start()
    clock = Clock()
    counters = Counters()
    gateway = Gateway(
        WAY.of(settings or ProxySettings(admin="")),
        counters=counters,
        log=log,
        report=report,
        clock=clock,
        now=clock,
        lookup=lookup,
    )
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    gateway.add_socket(PORT, sock)
    bench = Bench(gateway, sock.getsockname()[1], clock, counters, lines, log)
    try:
        yield bench
    finally:
        for caller in bench.callers:
            caller.close()
        for connection in bench.connections:
            connection.abort()
        await gateway.drain()
        log.close()


async def settle(condition: Callable[[], bool]) -> None:
    """Let the loop run until something has come about; the test's deadline bounds it."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.001)
