"""One caller does not stop the others: what an innocent caller gets while somebody attacks.

Nothing here measures time. An attack goes on until the gateway ends it, or stands for good, and the innocent caller's
requests must be answered meanwhile; a gateway without the bound fails by the deadline of ``run``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest

from tests.proxy.io.bench import (
    OK,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    open_route,
    providing,
    routed,
    run,
    serving,
)
from wardgate.ir import AuthPlan, BasicAuthStep, BasicUser
from wardgate.sensitive import Sensitive
from wardgate.tasks import spawn

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


async def answered(bench: Bench, *, requests: int = 10, request: bytes = GET) -> list[int]:
    """The statuses that an innocent caller gets on a connection of its own."""
    caller = await bench.connect()
    statuses = []
    for _ in range(requests):
        await caller.send(request)
        statuses.append((await caller.response())[0])
    caller.close()
    return statuses


async def flood(caller: Caller, data: bytes) -> bytes:
    """Send the same bytes until the gateway closes; return what it answered."""

    async def send() -> None:
        while True:
            await caller.send(data)

    sending = spawn(send(), name="flood")
    try:
        return await caller.rest()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("blank", [b"\r\n", b"\n", b"\r"])
def test_a_caller_that_sends_empty_lines_for_ever_is_refused_and_slows_nobody(blank: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            attack = spawn(flood(await bench.connect(), blank * 32_768), name="attack")
            assert await answered(bench) == [200] * 10
            answer = await attack
            assert answer.startswith(b"HTTP/1.1 400 ") or answer == b"<reset>"
            assert bench.counters.take()["requests"] == [
                ["8080", "", "400", "bad_request_line", 1],
                ["main", "lab", "200", "", 10],
            ]

    run(scenario())


@pytest.mark.parametrize(("lines", "status"), [(2, 200), (3, 400)])
def test_two_empty_lines_before_a_request_are_passed_over_however_they_arrive(lines: int, status: int) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for _ in range(2):  # a connection may have as many before each request
                for byte in b"\r\n" * lines:
                    await caller.send(bytes([byte]))
                    await asyncio.sleep(0)
                await caller.send(GET)
                assert (await caller.response())[0] == status
                if status == 400:
                    break

    run(scenario())


def swallowing(provider: Provider) -> Script:
    """Read each request to its end, of whatever size, and say how many ``x`` its body had."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            last, count = head, 0
            while b"chunked" in head and not last.endswith(b"0\r\n\r\n"):
                piece = await reader.read(65536)
                count += piece.count(b"x")
                last = last[-4:] + piece
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n%6d" % count)

    return script


def test_a_body_of_tiny_chunks_arrives_whole_and_takes_turns_with_other_callers() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n"

    async def scenario() -> None:
        async with providing(swallowing) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            sending = spawn(caller.send(head + chunks + GET), name="attack")
            assert await answered(bench) == [200] * 10
            await sending
            assert [(await caller.response())[2] for _ in range(2)] == [b" 50000", b"     0"]

    run(scenario())


def with_password(text: str) -> bytes:
    pair = base64.b64encode(text.encode())
    return b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " + pair + b"\r\n\r\n"


def test_right_passwords_pass_while_three_callers_guess() -> None:
    users = tuple(
        BasicUser(name, Sensitive(""), Sensitive(hashlib.sha1(b"right", usedforsecurity=False).hexdigest()))
        for name in ("ann", "bob")
    )
    plan = AuthPlan("plan", (BasicAuthStep("pw", "gloo", "sha1", users),))

    async def guess(caller: Caller) -> set[int]:
        statuses = set()
        for number in range(200):
            await caller.send(with_password(f"ann:{number}"))
            statuses.add((await caller.response())[0])
        return statuses

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port, listeners=routed(open_route(auth="plan")), auth_plans=(plan,)))
            guessers = [await bench.connect(address=f"127.0.0.{number}") for number in (2, 3, 4)]
            assert await asyncio.gather(*map(guess, guessers)) == [{401, 429}] * 3
            assert await answered(bench, request=with_password("ann:right")) == [200] * 10
            guesser = await bench.connect(address="127.0.0.4")
            await guesser.send(with_password("bob:right"))
            assert (await guesser.response())[0] == 200

    run(scenario())
