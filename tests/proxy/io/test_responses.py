"""What plans do to responses, and to methods and hosts, seen from both ends of the wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.proxy.io.bench import (
    OK,
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
from wardgate.ir import (
    Endpoint,
    Forward,
    GatewayConfig,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
    Upstream,
    WeightedUpstream,
)
from wardgate.proxy.settings import Limits, ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")


def transformed(
    port: int, *, request: MessageTemplate | None = None, response: MessageTemplate | None = None
) -> GatewayConfig:
    plan = TransformationPlan("p", "post", request=request, response=response)
    return config(port, listeners=routed(open_route(transformations=("p",))), transformations=(plan,))


MARK = MessageTemplate(headers=(HeaderTemplate("x-mark", "seen"),), parse_body="DontParse")


def test_a_header_is_put_on_a_response_that_streams() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(transformed(provider.port, response=replace(MARK, parse_body=None)))
            answer = await bench.exchange(GET)
            assert b"x-mark: seen\r\n" in answer
            assert answer.endswith(b"ok")

    run(scenario())


def test_a_head_response_keeps_its_length_and_is_still_transformed() -> None:
    async def scenario() -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
        async with providing(answering(head)) as provider, serving() as bench:
            await bench.apply(transformed(provider.port, response=MARK))
            answer = await bench.exchange(HEAD)
            assert b"content-length: 5\r\n" in answer
            assert b"x-mark: seen\r\n" in answer

    run(scenario())


@pytest.mark.parametrize(("asked", "sent"), [(b"GET", "HEAD"), (b"HEAD", "GET")])
def test_a_method_that_a_plan_changes_leaves_both_connections_in_step(asked: bytes, sent: str) -> None:
    def as_asked(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                head = await provider.read_request(reader)
                writer.write(OK[:-2] if head.startswith(b"HEAD") else OK)

        return script

    method = MessageTemplate(headers=(HeaderTemplate(":method", sent),), parse_body="DontParse")

    async def scenario() -> None:
        async with providing(as_asked) as provider, serving() as bench:
            await bench.apply(transformed(provider.port, request=method))
            for _ in range(2):
                answer = await bench.exchange(GET.replace(b"GET", asked))
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                assert answer.endswith(b"\r\n\r\n")
            assert {head.split(b" ")[0] for head in provider.received} == {sent.encode()}
            assert provider.connections == 1

    run(scenario())


@pytest.mark.parametrize("name", ["api.example.com", "api.example.com."])
def test_the_host_may_be_the_endpoints_own(name: str) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            pins = (("api.example.com:80", f"127.0.0.1:{provider.port}"),)
            async with serving(ProxySettings(admin="", pins=pins)) as bench:
                route = open_route(action=Forward((WeightedUpstream("provider", 1),), auto_host_rewrite=True))
                named = Upstream("provider", (Endpoint(name, 80),))
                await bench.apply(config(1, listeners=routed(route), upstreams=(named,)))
                await bench.exchange(GET)
                assert b"\r\nhost: api.example.com\r\n" in provider.received[0]
                assert provider.received[0].count(b"host: ") == 1

    run(scenario())


def test_endpoints_are_taken_in_turn() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as first, providing(answering(OK)) as second, serving() as bench:
            both = Upstream("provider", (Endpoint("127.0.0.1", first.port), Endpoint("127.0.0.1", second.port)))
            await bench.apply(config(1, upstreams=(both,)))
            for _ in range(4):
                await bench.exchange(GET)
            assert (len(first.received), len(second.received)) == (2, 2)

    run(scenario())


def test_an_upstream_without_endpoints_is_a_503() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", ()),)))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 503 ")

    run(scenario())


def test_a_body_too_large_to_buffer_for_all_is_a_503_for_responses_too() -> None:
    plan = MessageTemplate(body_mode="template", body="<{{ body() }}>", parse_body="DontParse")

    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(body_bytes=10, buffered_bytes=1))
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(transformed(provider.port, response=plan))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 503 ")
            assert bench.buffered == 0

    run(scenario())


def test_a_request_in_flight_outlives_its_upstreams_removal() -> None:
    async def scenario() -> None:
        release = asyncio.Event()

        def waiting(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                await release.wait()
                writer.write(OK)
                await reader.read()

            return script

        async with providing(waiting) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: len(provider.received) == 1)
            await bench.apply(config(1))
            release.set()
            assert (await caller.response())[0] == 200

    run(scenario())


def test_templates_see_both_heads_as_they_came_and_the_wires_are_framed_by_the_proxy() -> None:
    request = MessageTemplate(
        headers=tuple(
            HeaderTemplate(name, text)
            for name, text in (
                ("x-length", '{{ header("content-length") }}'),
                ("x-connection", '{{ header("connection") }}'),
                ("content-length", "99"),
                ("transfer-encoding", '{{ header("transfer-encoding") }}chunked'),
            )
        ),
        parse_body="DontParse",
    )
    response = MessageTemplate(
        headers=(
            HeaderTemplate("x-was", '{{ header("transfer-encoding") }} {{ header("keep-alive") }}'),
            HeaderTemplate("transfer-encoding", "identity"),
        ),
        parse_body="DontParse",
    )
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n"
    )
    post = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"

    async def scenario() -> None:
        async with providing(answering(chunked)) as provider, serving() as bench:
            await bench.apply(transformed(provider.port, request=request, response=response))
            answer = await bench.exchange(post)
            head = provider.received[0].lower()
            assert b"\r\nx-length: 2\r\n" in head
            assert b"\r\nx-connection: close\r\n" in head
            assert (head.count(b"\r\ncontent-length: "), b"\r\ncontent-length: 2\r\n" in head) == (1, True)
            assert b"transfer-encoding" not in head
            assert [b"hi"] == provider.bodies
            assert b"\r\nx-was: chunked timeout=5\r\n" in answer
            assert answer.endswith(b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            assert (answer.count(b"content-length: "), answer.count(b"transfer-encoding: chunked\r\n")) == (0, 1)
            assert b"identity" not in answer

    run(scenario())
