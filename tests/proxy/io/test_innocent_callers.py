"""One caller does not stop the others: what an innocent caller gets while somebody attacks.

Nothing here measures time. An attack goes on until the gateway ends it, or stands for good, and the innocent caller's
requests must be answered meanwhile; a gateway without the bound fails by the deadline of ``run``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace
from functools import partial
from typing import Literal, cast

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    guarded,
    open_route,
    providing,
    routed,
    run,
    serving,
    settle,
    silent,
)
from wardgate.ir import (
    AuthPlan,
    BasicAuthStep,
    BasicUser,
    Endpoint,
    GatewayConfig,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
    Upstream,
    UpstreamTls,
)
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.sensitive import Sensitive
from wardgate.tasks import spawn

OTHER = replace(CREDENTIAL, digest=hashlib.sha256(b"another").hexdigest(), name="another-key")
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


async def answered(bench: Bench, *, requests: int = 10, request: bytes = GET, address: str = "127.0.0.1") -> list[int]:
    """The statuses that an innocent caller gets on a connection of its own."""
    caller = await bench.connect(address=address)
    statuses = []
    for _ in range(requests):
        await caller.send(request)
        statuses.append((await caller.response())[0])
    caller.close()
    return statuses


def reasons(bench: Bench) -> dict[str, int]:
    """How many requests ended for which reason, since this was last asked."""
    counted: dict[str, int] = {}
    for *_, reason, count in cast("list[tuple[str, ...]]", bench.counters.take()["requests"]):
        counted[reason] = counted.get(reason, 0) + int(count)
    return counted


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
                ["main", "", "", "", 400, "bad_request_line", 1],
                ["main", "lab", "", "provider", 200, "", 10],
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


def post(length: int, *headers: bytes, body: bytes = b"") -> bytes:
    fields = b"".join(b"%b\r\n" % header for header in headers)
    return b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%b\r\n%b" % (length, fields, body)


def reading_bodies(port: int, phase: Literal["pre", "post"]) -> GatewayConfig:
    """A guarded route whose plan reads bodies, before or after authentication, and two keys."""
    plan = TransformationPlan(
        "read",
        phase,
        request=MessageTemplate(headers=(HeaderTemplate("x-read", "{{ body() }}"),), parse_body="DontParse"),
    )
    route = open_route(auth="plan", transformations=("read",))
    served = guarded(port, transformations=(plan,), credentials=(CREDENTIAL, OTHER))
    return replace(served, listeners=routed(route))


@pytest.mark.parametrize(("phase", "others"), [("pre", "127.0.0.2"), ("post", "127.0.0.1")])
def test_bodies_that_one_caller_holds_leave_room_for_others(phase: Literal["pre", "post"], others: str) -> None:
    settings = ProxySettings(admin="", limits=Limits(body_bytes=1000, buffered_bytes=8000))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(reading_bodies(provider.port, phase))
            attackers = []
            for _ in range(7):
                attacker = await bench.connect()
                await attacker.send(post(1000, b"Api-Key: mysecretkey", body=b"x" * 950))
                attackers.append(attacker)
            assert [(await attacker.response())[0] for attacker in attackers[2:]] == [429] * 5
            assert bench.buffered == 2 * 950
            request = post(1000, b"Api-Key: another", body=b"x" * 1000)
            assert await answered(bench, request=request, address=others) == [200] * 10
            assert await answered(bench, request=request, address="127.0.0.3") == [200] * 10
            assert reasons(bench) == {"": 20, "caller_over_share": 5}

    run(scenario())


def test_body_that_was_collected_before_authentication_counts_for_the_key_afterwards() -> None:
    settings = ProxySettings(admin="", limits=Limits(body_bytes=1000, buffered_bytes=8000))

    async def scenario() -> None:
        async with providing(silent) as provider, serving(settings) as bench:
            await bench.apply(reading_bodies(provider.port, "pre"))
            for place in range(2):
                caller = await bench.connect(address=f"127.0.0.{place + 1}")
                await caller.send(post(1000, b"Api-Key: mysecretkey", body=b"x" * 1000))
                await settle(partial(has_received, provider, place + 1))
            request = post(1000, b"Api-Key: mysecretkey", body=b"x" * 1000)
            assert await answered(bench, requests=1, request=request, address="127.0.0.3") == [429]
            assert bench.buffered == 2000

    run(scenario())


def test_connections_that_one_address_holds_leave_room_for_others() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            attackers = [await bench.connect() for _ in range(8)]
            assert await asyncio.gather(*(attacker.rest() for attacker in attackers[2:])) in (
                [b""] * 6,
                [b"<reset>"] * 6,
            )
            assert await answered(bench, address="127.0.0.2") == [200] * 10
            assert bench.counters.take()["refused_connections"] == [["caller_over_share", 6]]
            attackers[0].close()
            await settle(lambda: len(bench.connections) < 2)
            assert await answered(bench) == [200] * 10

    run(scenario())


def has_received(provider: Provider, requests: int) -> bool:
    return len(provider.received) == requests


def holding(provider: Provider) -> Script:
    """Answer what asks for ``/``, and nothing else."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await provider.read_request(reader)).startswith(b"GET / "):
            writer.write(OK)
        await reader.read()

    return script


def with_key(key: bytes, path: bytes = b"/") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: h\r\nApi-Key: %b\r\n\r\n" % (path, key)


def test_upstream_connections_that_one_key_holds_leave_room_for_others() -> None:
    settings = ProxySettings(admin="", limits=Limits(upstream_connections=8))

    async def scenario() -> None:
        async with providing(holding) as provider, serving(settings) as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL, OTHER)))
            attackers = [await bench.connect(address=f"127.0.0.{number}") for number in range(1, 9)]
            for attacker in attackers:
                await attacker.send(with_key(b"mysecretkey", b"/hold"))
            answers = await asyncio.gather(*(attacker.response() for attacker in attackers[2:]))
            assert [status for status, _, _ in answers] == [429] * 6
            assert await answered(bench, request=with_key(b"another")) == [200] * 10
            for attacker in attackers:
                attacker.close()
            await bench.abandoned()
            assert await answered(bench, request=with_key(b"mysecretkey")) == [200] * 10

    run(scenario())


def test_upstream_connection_that_is_being_made_counts_for_who_left_it() -> None:
    settings = ProxySettings(admin="", limits=Limits(upstream_connections=8))

    async def scenario() -> None:
        # It takes connections and shakes no hands, so no connection is ever ready.
        async with providing(silent) as provider, serving(settings) as bench:
            mute = Upstream("provider", (Endpoint("127.0.0.1", provider.port),), tls=UpstreamTls("provider.test"))
            await bench.apply(config(provider.port, upstreams=(mute,)))
            for caller in (await bench.connect(), await bench.connect()):
                await caller.send(GET)
            await settle(lambda: provider.connections == 2)
            for caller in bench.callers:
                caller.close()
            await bench.abandoned()
            assert await answered(bench, requests=1) == [429]

    run(scenario())
