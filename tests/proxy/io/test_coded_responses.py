"""Upstreams that compress, under plans that read responses: seen from both ends of the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from tests.proxy.core.http1.codings import ENCODERS, coded
from tests.proxy.io.bench import (
    Bench,
    Provider,
    Script,
    answering,
    config,
    open_route,
    providing,
    routed,
    run,
    serving,
    settle,
)
from wardgate.ir import GatewayConfig, HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.settings import Limits, ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n"
TEXT = b'{"model":"m","text":"' + b"tell me more " * 40 + b'"}'
MODEL = MessageTemplate(headers=(HeaderTemplate("x-model", "{{ model }}"),))
MEBIBYTE = 1024 * 1024


def reading(port: int, template: MessageTemplate = MODEL) -> GatewayConfig:
    plan = TransformationPlan("p", "post", response=template)
    return config(port, listeners=routed(open_route(transformations=("p",))), transformations=(plan,))


def http(body: bytes, coding: str, *, status: str = "200 OK", length: int | None = None) -> bytes:
    fields = f'Content-Type: application/json\r\nContent-Encoding: {coding}\r\nETag: "1"\r\n'
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n".encode("latin-1") + body


def limited(**changes: int) -> ProxySettings:
    return ProxySettings(admin="", limits=replace(Limits(), **changes))


async def logged(bench: Bench) -> list[str]:
    bench.log.flush()
    await settle(lambda: bool(bench.lines))
    return [json.loads(line)["reason"] for lines in bench.lines for line in lines.splitlines()]


# -- what is decoded


@pytest.mark.parametrize("name", ENCODERS)
def test_template_reads_a_compressed_response(name: str) -> None:
    body, coding = coded(TEXT, name)

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving() as bench:
            await bench.apply(reading(provider.port))
            head, _, got = (await bench.exchange(GET)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nx-model: m\r\n" in head
            assert b'\r\netag: W/"1"\r\n' in head
            assert b"content-encoding" not in head
            assert f"\r\ncontent-length: {len(TEXT)}\r\n".encode() in head
            assert TEXT == got
            assert b"\r\naccept-encoding: identity\r\n" in provider.received[0]
            assert 1 == provider.received[0].count(b"accept-encoding")
            assert 0 == bench.buffered

    run(scenario())


def test_template_sees_the_decoded_length_and_no_coding() -> None:
    body, coding = coded(TEXT, "gzip")
    text = '{{ header("content-length") }}[{{ header("content-encoding") }}]'
    template = MessageTemplate(headers=(HeaderTemplate("x-is", text),), parse_body="ParseAsJson")

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving() as bench:
            await bench.apply(reading(provider.port, template))
            assert f"\r\nx-is: {len(TEXT)}[]\r\n".encode() in await bench.exchange(GET)

    run(scenario())


def test_response_in_chunks_of_one_byte_is_decoded() -> None:
    body, coding = coded(TEXT, "gzip", "br")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    async def scenario() -> None:
        async with providing(answering(head + chunks)) as provider, serving() as bench:
            await bench.apply(reading(provider.port))
            assert (await bench.exchange(GET)).endswith(b"\r\n\r\n" + TEXT)

    run(scenario())


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_large_response_is_decoded_in_turns_between_which_others_are_served(name: str) -> None:
    """Eight megabytes that expand ninetyfold, in one piece: another task of the loop sees a part of them."""
    noise = Random(1).randbytes(90_000).hex().encode()
    text = b'{"model":"m","text":"' + noise + b"a" * (8 * MEBIBYTE) + b'"}'
    body, coding = coded(text, name)
    assert len(text) < 100 * len(body)
    template = MessageTemplate(body_mode="template", body="{{ body() }}", parse_body="DontParse")
    limits = replace(GatewayConfig().template_limits, steps=10**9, output_bytes=10**8)

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving() as bench:
            await bench.apply(replace(reading(provider.port, template), template_limits=limits))
            async with asyncio.TaskGroup() as group:
                answer = group.create_task(bench.exchange(GET))
                await settle(lambda: bench.buffered > 0)
                assert bench.buffered < len(text)
            assert answer.result().endswith(b"\r\n\r\n" + text)
            assert 0 == bench.buffered

    run(scenario())


def test_upstream_is_not_read_while_a_response_is_decoded() -> None:
    text = (
        Random(1).randbytes(90_000).hex().encode() + b"a" * (8 * MEBIBYTE) + Random(2).randbytes(90_000).hex().encode()
    )
    body, coding = coded(text, "gzip")
    template = MessageTemplate(body_mode="template", body="whole", parse_body="DontParse")
    go_on = asyncio.Event()

    def in_two(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(http(body, coding)[:-50_000])
            await go_on.wait()
            writer.write(body[-50_000:])

        return script

    async def scenario() -> None:
        async with providing(in_two) as provider, serving() as bench:
            await bench.apply(reading(provider.port, template))
            async with asyncio.TaskGroup() as group:
                answer = group.create_task(bench.exchange(GET))
                await settle(lambda: bench.buffered > MEBIBYTE)
                stream = bench.connections[0]._stream
                assert stream is not None
                assert stream._sender is not None
                assert stream._sender._connection is not None
                transport = stream._sender._connection.transport
                assert transport is not None
                assert not transport.is_reading()
                await settle(transport.is_reading)
                go_on.set()
            assert answer.result().endswith(b"\r\n\r\nwhole")

    run(scenario())


# -- what passes as it is


@pytest.mark.parametrize(
    "template",
    [MessageTemplate(headers=(HeaderTemplate("x-mark", "seen"),)), MessageTemplate(body_mode="passthrough")],
)
@pytest.mark.parametrize("body", [coded(TEXT, "gzip")[0], b"no gzip at all"], ids=["gzip", "garbage"])
def test_response_that_no_plan_reads_passes_as_it_came(template: MessageTemplate, body: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(http(body, "gzip"))) as provider, serving() as bench:
            await bench.apply(reading(provider.port, template))
            answer = await bench.exchange(GET)
            assert b"\r\ncontent-encoding: gzip\r\n" in answer
            assert answer.endswith(b"\r\n\r\n" + body)
            assert b"\r\naccept-encoding: gzip, deflate, br, zstd\r\n" in provider.received[0]

    run(scenario())


@pytest.mark.parametrize(
    ("method", "status"), [(b"HEAD", "200 OK"), (b"GET", "304 Not Modified"), (b"GET", "204 No Content")]
)
def test_response_without_a_body_keeps_its_coding(method: bytes, status: str) -> None:
    response = http(b"", "gzip", status=status, length=77)
    if status.startswith("204"):
        response = response.replace(b"Content-Length: 77\r\n", b"")

    async def scenario() -> None:
        async with providing(answering(response)) as provider, serving() as bench:
            template = MessageTemplate(headers=(HeaderTemplate("x", "y"),), parse_body="ParseAsJson")
            await bench.apply(reading(provider.port, template))
            head = await bench.exchange(GET.replace(b"GET", method))
            assert head.startswith(f"HTTP/1.1 {status}\r\n".encode())
            assert b"\r\ncontent-encoding: gzip\r\n" in head
            assert b'\r\netag: "1"\r\n' in head

    run(scenario())


def test_empty_response_is_none_that_is_damaged() -> None:
    template = MessageTemplate(body_mode="template", body="new", parse_body="DontParse")

    async def scenario() -> None:
        async with providing(answering(http(b"", "gzip"))) as provider, serving() as bench:
            await bench.apply(reading(provider.port, template))
            answer = await bench.exchange(GET)
            assert answer.endswith(b"\r\n\r\nnew")
            assert b"content-encoding" not in answer

    run(scenario())


# -- what is refused

GZIP = coded(TEXT, "gzip")[0]
BROKEN: dict[str, tuple[bytes, str, str]] = {
    "damaged": (GZIP[:40] + b"!" + GZIP[41:], "gzip", "its gzip data is damaged"),
    "cut off": (GZIP[:-1], "gzip", "its data ends early"),
    "no gzip": (TEXT, "gzip", "its gzip data is damaged"),
    "no br": (TEXT, "br", "its br data is damaged, or more follows it"),
    "no zstd": (TEXT, "zstd", "its zstd data is damaged, or asks for a window beyond 8 MiB"),
    "trailing": (GZIP + b"xx", "gzip", "its gzip data is damaged"),
    "unknown": (GZIP, "compress", "its content coding is none of gzip, deflate, br and zstd"),
    "five": (GZIP, "gzip, gzip, gzip, gzip, gzip", "it has more than 4 content codings"),
    "twice announced": (GZIP, "gzip, gzip", "its gzip data is damaged"),
}


async def refused(bench: Bench, provider: Provider, reason: ReplyReason) -> bytes:
    """Ask, and see the refusal in the answer, the log and the metrics; nothing stays charged."""
    await bench.apply(reading(provider.port, MessageTemplate(parse_body="ParseAsJson")))
    answer = await bench.exchange(GET)
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"content-encoding" not in answer
    assert [reason] == await logged(bench)
    assert 1 == bench.counters._upstream_errors["provider", reason]
    await settle(lambda: bench.buffered == 0)
    return answer


@pytest.mark.parametrize("name", BROKEN)
def test_response_that_cannot_be_decoded_is_refused_and_told_of(name: str) -> None:
    body, coding, why = BROKEN[name]
    told: list[str] = []

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving(report=told.append) as bench:
            answer = await refused(bench, provider, ReplyReason.RESPONSE_UNDECODABLE)
            assert b'{"error":"The upstream\'s response is compressed in a way that this route cannot read."}' in answer
            start = f"Upstream provider: The response cannot be read: {why}. It was asked for no coding"
            assert [start] == [each[: len(start)] for each in told]

    run(scenario())


def test_response_that_breaks_off_is_told_from_one_that_is_malformed() -> None:
    def cut(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(http(GZIP[:-5], "gzip", length=len(GZIP)))

        return script

    async def scenario() -> None:
        async with providing(cut) as provider, serving() as bench:
            await refused(bench, provider, ReplyReason.UPSTREAM_RESET)

    run(scenario())


@pytest.mark.parametrize("name", ["gzip", "raw deflate", "br", "zstd"])
def test_bomb_is_refused_before_it_goes_off(name: str) -> None:
    body, coding = coded(bytes(9 * MEBIBYTE), name)
    told: list[str] = []

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving(report=told.append) as bench:
            # The refusal is the bomb's own, so no more than this was ever taken.
            bodies = Budget(max(100 * len(body), 16 * 1024), percent=100)
            bench.gateway.context = replace(bench.gateway.context, bodies=bodies)
            await refused(bench, provider, ReplyReason.RESPONSE_EXPANDS)
            assert "--set limits.expansion=NUMBER" in told[0]

    run(scenario())


def test_expansion_is_a_setting() -> None:
    body, coding = coded(b'{"model":"m","x":"' + b"a" * MEBIBYTE + b'"}', "gzip")

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving(limited(expansion=2000)) as bench:
            await bench.apply(reading(provider.port))
            assert b"\r\nx-model: m\r\n" in await bench.exchange(GET)

    run(scenario())


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (Random(1).randbytes(3000).hex().encode(), {"body_bytes": 5000}),
        (b"a" * 15_000, {"body_bytes": 5000}),
    ],
    ids=["as it arrives", "decoded"],
)
def test_body_limit_counts_decoded_bytes(text: bytes, settings: dict[str, int]) -> None:
    body, coding = coded(text, "gzip")

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving(limited(**settings)) as bench:
            await refused(bench, provider, ReplyReason.RESPONSE_TOO_LARGE)

    run(scenario())


def test_body_that_decodes_to_nothing_is_limited_as_it_arrives() -> None:
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 6000

    async def scenario() -> None:
        async with providing(answering(http(named, "gzip"))) as provider, serving(limited(body_bytes=5000)) as bench:
            await refused(bench, provider, ReplyReason.RESPONSE_TOO_LARGE)

    run(scenario())


# -- what goes on afterwards


def two_answers(first: bytes, second: bytes) -> Callable[[Provider], Script]:
    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                writer.write(first if len(provider.received) == 1 else second)

        return script

    return make


def test_connections_go_on_after_a_decoded_response() -> None:
    keep = GET.replace(b"Connection: close\r\n", b"")
    one, two = (http(coded(b'{"model":"%d"}' % number, "gzip")[0], "gzip") for number in (1, 2))

    async def scenario() -> None:
        async with providing(two_answers(one, two)) as provider, serving() as bench:
            await bench.apply(reading(provider.port))
            caller = await bench.connect()
            await caller.send(keep + keep)
            for number in (1, 2):
                status, head, body = await caller.response()
                assert (200, b'{"model":"%d"}' % number) == (status, body)
                assert b"\r\nx-model: %d\r\n" % number in head
            assert 1 == provider.connections

    run(scenario())


def test_caller_that_leaves_while_a_response_is_decoded_ends_the_work() -> None:
    body, coding = coded(Random(1).randbytes(90_000).hex().encode() + b"a" * (8 * MEBIBYTE), "gzip")
    template = MessageTemplate(body_mode="template", body="x", parse_body="DontParse")

    async def scenario() -> None:
        async with providing(answering(http(body, coding))) as provider, serving() as bench:
            await bench.apply(reading(provider.port, template))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: bench.buffered > 0)
            bench.connections[0].abort()
            for _ in range(200):
                await asyncio.sleep(0)
            assert 0 == bench.buffered
            assert [ReplyReason.CALLER_GONE] == await logged(bench)

    run(scenario())
