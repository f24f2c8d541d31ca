"""A head and what came with it of the body leave in one write; a head that came alone waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.proxy.io.bench import PORT, Clock, Provider, Script, config, providing, run, serving, settle, upstream
from wardgate.ir import Endpoint
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import HeaderList, Incoming, Outgoing
from wardgate.proxy.core.upstream.destinations import CompiledUpstream
from wardgate.proxy.io.downstream.connection import Downstream
from wardgate.proxy.io.downstream.response_writer import ResponseWriter
from wardgate.proxy.io.tls import TlsFactory
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.errors import UpstreamError
from wardgate.proxy.io.upstream.pool import EndpointPool
from wardgate.proxy.io.upstream.request_sender import RequestSender
from wardgate.proxy.io.upstream.resolver import Resolver
from wardgate.proxy.settings import Limits, Timeouts

POST = b"POST /v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that notes each write."""

    def __init__(self, protocol: Downstream | UpstreamConnection) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.writes: list[bytes] = []
        self._protocol = protocol
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self._protocol.connection_lost(None)


class Nobody:
    """A requester to which no response comes."""

    def request_begins(self) -> None: ...
    def endpoint_failed(self, error: UpstreamError) -> None: ...
    def fail(self, error: UpstreamError) -> None: ...
    def response_head(self, incoming: Incoming, *, length: int | None) -> None: ...
    def response_data(self, data: bytes) -> None: ...
    def response_waits(self) -> None: ...
    def response_end(self) -> None: ...
    def informational(self, incoming: Incoming) -> None: ...
    def upstream_lost(self, error: UpstreamError) -> None: ...
    def upstream_paused(self, *, paused: bool) -> None: ...


def head_of(block: bytes) -> RequestHead:
    head = parse_request_head(block, max_headers=9)
    assert isinstance(head, RequestHead)
    return head


def endpoint() -> EndpointPool:
    """The pool of an endpoint that is never dialled."""

    async def lookup(host: str, port: int) -> tuple[str, ...]:
        raise AssertionError(host, port)

    clock = Clock()
    dialer = Dialer(
        resolver=Resolver(pins={}, lookup=lookup, clock=clock, stale=0.0),
        tls=TlsFactory(files_root="", extra_ca=""),
        limits=Limits(),
        timeouts=Timeouts(),
        clock=clock,
        unix_root="",
    )
    return EndpointPool(Endpoint("h", 1), upstream(1), dialer=dialer, ejected=lambda *_, **__: None)


def sender_of(block: bytes) -> RequestSender:
    """Make the sender of a POST with this head, to an endpoint that is never dialled."""
    headers: HeaderList = [(b"host", b"h")]
    outgoing = Outgoing(b"POST", b"/v1", headers, None, CompiledUpstream(upstream(1)))
    return RequestSender(
        outgoing,
        head_of(block),
        mark=LoopMark("test"),
        upgrades=frozenset(),
        asks_trailers=False,
        endpoint=endpoint(),
        requester=Nobody(),
        holder=b"",
    )


def sent_at_first(block: bytes, *, at_once: bool = False, held: bytes = b"") -> tuple[RequestSender, Wire]:
    """Begin a request on a connection."""
    sender = sender_of(block)
    if held:
        sender.piece(held)
    connection = UpstreamConnection(max_head=1000, max_informational=3)
    wire = Wire(connection)
    sender.begin(connection, at_once=at_once)
    return sender, wire


def test_request_and_the_first_piece_of_its_body_are_one_write() -> None:
    sender, wire = sent_at_first(POST)
    sender.piece(b"he")
    sender.piece(b"llo")
    sender.end([])

    assert [b"he", b"llo"] == [write.rpartition(b"\r\n\r\n")[2] for write in wire.writes]
    assert wire.writes[0].startswith(b"POST /v1 HTTP/1.1\r\n")


def test_request_and_what_was_held_of_its_body_are_one_write() -> None:
    _, wire = sent_at_first(POST, at_once=True, held=b"hello")

    assert [b"hello"] == [write.rpartition(b"\r\n\r\n")[2] for write in wire.writes]


def test_request_waits_for_nothing_that_has_not_come() -> None:
    sender, flushed = sent_at_first(POST)
    sender.flush()
    without_body = sent_at_first(POST.replace(b"5", b"0"))[1]
    on_a_new_connection = sent_at_first(POST, at_once=True)[1]

    assert [1, 1, 1] == [len(wire.writes) for wire in (flushed, without_body, on_a_new_connection)]


def written(write: Callable[[ResponseWriter], object]) -> list[bytes]:
    """The writes of a writer to its caller."""
    result: list[bytes] = []

    async def scenario() -> None:
        async with serving() as bench:
            downstream = Downstream(bench.gateway.context, PORT)
            wire = Wire(downstream)
            write(ResponseWriter(downstream.outbox, head_of(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")))
            result.extend(wire.writes)

    run(scenario())
    return result


def test_response_and_the_first_piece_of_its_body_are_one_write() -> None:
    def with_length(writer: ResponseWriter) -> None:
        writer.begin(Incoming(200, []), length=4)
        writer.piece(b"ok")
        writer.piece(b"ay")
        writer.end()

    def chunked(writer: ResponseWriter) -> None:
        writer.begin(Incoming(200, []), length=None)
        writer.piece(b"ok")
        writer.end()

    assert [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok", b"ay"] == written(with_length)
    assert [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", b"0\r\n\r\n"] == written(chunked)
    assert [OK + b"ok"] == written(lambda writer: writer.whole(Incoming(200, [], b"ok")))


def test_response_without_a_body_is_written() -> None:
    def empty(writer: ResponseWriter) -> None:
        writer.begin(Incoming(200, []), length=0)
        writer.end()

    assert 1 == len(written(empty))
    assert 1 == len(written(lambda writer: writer.whole(Incoming(204, [], b""))))


def test_heads_that_come_alone_go_out_at_once_on_new_connections_and_on_used_ones() -> None:
    async def scenario() -> None:
        answered = asyncio.Event()

        def in_two(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                while True:
                    provider.received.append(await reader.readuntil(b"\r\n\r\n"))
                    await reader.readexactly(5)
                    writer.write(OK)
                    await answered.wait()
                    writer.write(b"ok")

            return script

        async with providing(in_two) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()

            async def post(number: int) -> None:
                answered.clear()
                await caller.send(POST)
                await settle(lambda: len(provider.received) == number)
                await caller.send(b"hello")
                assert (await caller.head()).startswith(b"HTTP/1.1 200 OK\r\n")
                answered.set()
                assert b"ok" == await caller.reader.readexactly(2)

            await post(1)
            await post(2)
            assert 1 == provider.connections

    run(scenario())
