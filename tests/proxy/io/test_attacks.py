"""Attacks that once worked on the running product, each as short as it can be."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
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
)
from wardgate.ir import (
    Endpoint,
    Extractor,
    Forward,
    HeaderTemplate,
    MessageTemplate,
    PathMatch,
    PrefixRewrite,
    RouteMatch,
    TransformationPlan,
    Upstream,
    UpstreamTls,
    WeightedUpstream,
)
from wardgate.proxy.settings import Limits, ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "early",
    [
        b"HTTP/1.1 150 X\r\nContent-Length: 40\r\n\r\nHTTP/1.1 299 INJECTED\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 X\r\nContent-Length: 4\r\n\r\nevil",
        b"HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
    ],
)
def test_an_informational_response_can_not_smuggle_bytes_to_the_caller(early: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(early + OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert b"INJECTED" not in answer
            assert answer.count(b"HTTP/1.1 ") == 1

    run(scenario())


def test_a_large_body_in_one_piece_with_its_head_is_no_large_head() -> None:
    body = b"x" * 200_000

    async def scenario() -> None:
        response = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + body
        async with providing(answering(response)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            assert (await bench.exchange(GET)).endswith(b"\r\n\r\n" + body)

    run(scenario())


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-t: ",
        b"HTTP/1.1 200 OK\r\nx-h: ",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_an_upstream_that_floods_heads_or_trailers_is_cut_off(flood: bytes) -> None:
    def flooding(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(flood)
            for _ in range(1000):
                writer.write(b"a" * 10_000)
                await writer.drain()
            raise AssertionError

        return script

    async def scenario() -> None:
        async with providing(flooding) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 502 ") or b"0\r\n\r\n" not in answer

    run(scenario())


def test_a_caller_that_pipelines_and_never_reads_is_served_no_further() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            request = b"GET /" + b"p" * 200 + b" HTTP/1.1\r\nHost: h\r\n\r\n"

            async def flood() -> None:
                while True:
                    await caller.send(request * 1000)

            with pytest.raises(TimeoutError):
                await asyncio.wait_for(flood(), timeout=2.0)
            other = await bench.connect()
            await other.send(GET)
            assert (await other.response())[0] == 401
            assert max(len(one.requests.buffer) for one in bench.connections) < 1_000_000

    run(scenario())


def test_a_key_revoked_while_the_body_arrives_does_not_authenticate() -> None:
    reading = TransformationPlan(
        "p", "pre", request=MessageTemplate(body_mode="template", body="{{ body() }}", parse_body="DontParse")
    )

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            route = open_route(auth="plan", transformations=("p",))
            base = guarded(provider.port, transformations=(reading,), credentials=(CREDENTIAL,))
            before = replace(base, listeners=routed(route))
            await bench.apply(before)
            for after, wait in ((replace(before, credentials=()), 0.0), (before, 100.0)):
                await bench.apply(
                    replace(before, credentials=(replace(CREDENTIAL, expires_at=int(bench.clock.at) + 50),))
                )
                caller = await bench.connect()
                await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nContent-Length: 4\r\n\r\nab")
                await settle(lambda: bench.has_begun_body)
                if wait:
                    bench.clock.pass_time(wait)
                else:
                    await bench.apply(after)
                await caller.send(b"cd")
                assert (await caller.response())[0] == 401
            assert provider.received == []

    run(scenario())


def test_a_name_that_no_handshake_can_ask_for_is_a_502() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            for sni in (".evil.test", "a" * 70 + ".test"):
                bad = Upstream("provider", (Endpoint("127.0.0.1", provider.port),), tls=UpstreamTls(sni))
                await bench.apply(config(1, upstreams=(bad,)))
                assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")

    run(scenario())


@pytest.mark.parametrize("path", [b"/evil../secret", b"/evil%2e%2e/secret", b"/evil./x"])
def test_a_path_can_not_climb_out_of_its_rewrite(path: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            route = open_route(
                matches=(RouteMatch(paths=(PathMatch("prefix", "/evil"),)),),
                action=Forward((WeightedUpstream("provider", 1),), path_rewrite=PrefixRewrite("/v1/")),
            )
            await bench.apply(config(provider.port, listeners=routed(route)))
            assert (await bench.exchange(GET.replace(b" / ", b" " + path + b" "))).startswith(b"HTTP/1.1 400 ")
            assert provider.received == []

    run(scenario())


@pytest.mark.parametrize("framing", [b"Content-Length: 5000000", b"Transfer-Encoding: chunked"])
def test_a_body_too_large_to_be_parsed_is_refused_before_all_of_it_came(framing: bytes) -> None:
    plan = TransformationPlan("p", "pre", request=MessageTemplate(parse_body="ParseAsJson"))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            listeners = routed(open_route(transformations=("p",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\n" + framing + b"\r\n\r\n")
            if framing.endswith(b"chunked"):
                await caller.send(b"401000\r\n" + b"[" * 0x401000)
            assert (await caller.head()).startswith(b"HTTP/1.1 413 ")

    run(scenario())


def test_a_collected_response_stays_in_the_budget_until_it_is_sent() -> None:
    measured = (HeaderTemplate("x-read", "{{ isString(body()) }}"),)
    plan = TransformationPlan("p", "post", response=MessageTemplate(headers=measured, parse_body="DontParse"))
    size = 40_000_000  # more than the kernel holds for both ends

    async def scenario() -> None:
        response = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
        settings = ProxySettings(admin="", limits=Limits(body_bytes=size, buffered_bytes=size + 10))
        async with providing(answering(response)) as provider, serving(settings) as bench:
            listeners = routed(open_route(transformations=("p",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            caller = await bench.connect()
            await caller.send(GET)
            assert b"x-read: true\r\n" in await caller.head()
            await asyncio.sleep(0.05)
            assert bench.buffered == size
            bench.gateway.tick()
            assert bench.buffered == size
            await caller.rest()
            await settle(lambda: not bench.connections)
            assert bench.buffered == 0

    run(scenario())


def test_a_caller_that_reads_slowly_but_steadily_is_not_cut_off() -> None:
    size = 30_000_000

    async def scenario() -> None:
        response = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
        async with providing(answering(response)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            got = 0
            while piece := await caller.reader.read(400_000):
                got += len(piece)
                bench.pass_time(2.0)
                await asyncio.sleep(0.001)
            assert got == size

    run(scenario())


def test_a_header_with_an_underscore_can_not_stand_in_for_one_that_is_removed() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(GET.replace(b"Host: h", b"Host: h\r\nX_User_Id: root\r\nX_Other: kept"))
            assert b"x_user_id" not in provider.received[0]
            assert b"x_other: kept" in provider.received[0]

    run(scenario())


def test_a_template_can_not_put_control_bytes_into_a_header() -> None:
    plan = TransformationPlan(
        "p",
        "post",
        request=MessageTemplate(
            extractors=(Extractor("a", None, ".*"),),
            headers=(HeaderTemplate("x-a", "{{ a }}"),),
            parse_body="DontParse",
        ),
    )

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            listeners = routed(open_route(transformations=("p",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            post = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\x01\x7f"
            assert (await bench.exchange(post)).startswith(b"HTTP/1.1 400 ")

    run(scenario())
