"""Made-up requests of many callers at once, through sockets: what a scripted loop cannot show.

The kernel cuts the bytes, connections end while others begin, and everybody shares the upstreams' connections. There is
nothing to compare it with but what no gateway may do: a caller's mark among another's bytes, a request that can be read
in two ways, an exception, a hang, a request that is never accounted for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from tests.proxy.both_ways.answers import answer
from tests.proxy.both_ways.drafts import changed, cut, mutated, plain, simple
from tests.proxy.both_ways.marks import callers_in, mark, marks_in
from tests.proxy.both_ways.origins import RequestReader
from tests.proxy.both_ways.stage import START
from tests.proxy.both_ways.worlds import MAIN, PATHS, PINS, World, assembled
from tests.proxy.io.bench import Bench, Caller, serving, settle
from wardgate.proxy.settings import Limits, ProxySettings

_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_LAST: Final = b"GET /plain HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-good\r\n\r\n"
_GONE: Final = (ConnectionError, RuntimeError)
"""The second is uvloop's, for a transport that is closed."""
_READ_SECONDS: Final = 0.05
_HANG_SECONDS: Final = 30.0


@dataclass(slots=True)
class Outcome:
    """Requests that were accounted for, those that took the fast way, and what no gateway may do."""

    requests: int = 0
    fast: int = 0
    faults: list[str] = field(default_factory=list)


async def live(seed: int, *, turns: int, limits: Mapping[str, int], callers: int = 8) -> Outcome:
    """Let so many callers take turns at once; in each a caller connects, sends some requests and leaves."""
    done = Outcome()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: done.faults.append(str(told)))
    async with _origin(seed, done) as port, _gateway(port, limits) as bench:
        choices = [Random(seed * 1000 + number) for number in range(callers)]
        await asyncio.gather(*(_call(bench, each, number, turns, done) for number, each in enumerate(choices)))
        await _check_the_end(bench, done)
        done.fast = bench.counters.prepared
        counts: Any = bench.counters.take()
        done.requests = sum(row[-1] for row in counts["requests"])
    return done


@asynccontextmanager
async def _gateway(port: int, limits: Mapping[str, int]) -> AsyncIterator[Bench]:
    pins = tuple((name, f"127.0.0.1:{port}") for name, _ in PINS)
    settings = ProxySettings(admin="", pins=pins, limits=replace(Limits(), caller_share=100, **limits))
    async with serving(settings) as bench:
        sock = socket.create_server(("127.0.0.1", 0))
        bench.gateway.add_socket(MAIN, sock)
        bench.port = sock.getsockname()[1]
        assert () == await bench.gateway.apply(assembled(World(), start=START))
        yield bench


@asynccontextmanager
async def _origin(seed: int, done: Outcome) -> AsyncIterator[int]:
    """One server in the place of all upstreams."""
    choices = Random(seed)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = RequestReader()
        with contextlib.suppress(*_GONE):
            while data := await reader.read(65536):
                for what, head, body in requests.feed(data):
                    if what == "end":
                        await _respond(writer, choices, head, body, done)
        done.faults += requests.faults
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _respond(writer: asyncio.StreamWriter, choices: Random, head: bytes, body: bytes, done: Outcome) -> None:
    if len(callers_in(head + body)) > 1:
        done.faults.append(f"One request with bytes of several callers: {head!r}")
    marks = marks_in(head)
    pieces = answer(choices, marks[0], plain=True).pieces if marks and choices.random() < 0.7 else (_OK,)
    for piece in pieces:
        if writer.is_closing():
            return
        writer.write(piece)
        if choices.random() < 0.3:
            await asyncio.sleep(0)
    if choices.random() < 0.03:
        writer.close()


async def _call(bench: Bench, choices: Random, number: int, turns: int, done: Outcome) -> None:
    for turn in range(turns):
        caller = await bench.connect()
        bench.callers.remove(caller)
        received = await _talk(caller, choices, number * 10_000 + turn * 10)
        strays = callers_in(received) - {number * 10_000 + turn * 10}
        if strays:
            done.faults.append(f"Caller {number} got bytes of {strays}: {received!r}")


async def _talk(caller: Caller, choices: Random, name: int) -> bytes:
    """Send a few requests and read what comes, for a moment; then leave, politely or not."""
    draft = simple(choices) if choices.random() < 0.7 else plain(choices, PATHS)
    received = b""
    with contextlib.suppress(*_GONE):
        for count in range(choices.randrange(1, 6)):
            one = changed(draft, choices) if choices.random() < 0.15 else draft
            data = replace(one, mark_in=b"x-mark").written(mark(name, count))
            for piece in cut(mutated(data, choices) if choices.random() < 0.05 else data, choices):
                await caller.send(piece)
            with contextlib.suppress(TimeoutError):
                received += await asyncio.wait_for(caller.reader.read(1 << 20), _READ_SECONDS)
    if choices.random() < 0.3:
        caller.writer.transport.abort()
    caller.close()
    return received


async def _check_the_end(bench: Bench, done: Outcome) -> None:
    """The gateway serves as before, and nothing is left of all the requests."""
    last = await bench.connect()
    try:
        async with asyncio.timeout(_HANG_SECONDS):
            await last.send(_LAST)
            head = await last.head()
            if b" 200 " not in head:
                done.faults.append(f"The last request got {head!r}")
            last.close()
            await settle(lambda: bench.counters.in_flight == 0 and not bench.connections)
    except TimeoutError:
        done.faults.append(f"{bench.counters.in_flight} in flight, {len(bench.connections)} connected at the end")
