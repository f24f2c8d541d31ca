"""Upstreams that fail, lie, stall or vanish: the caller gets an honest answer, and no connection is poisoned."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
    Bench,
    Provider,
    Script,
    answering,
    config,
    guarded,
    providing,
    run,
    serving,
    settle,
    silent,
)
from wardgate.ir import Endpoint, GatewayConfig, Guard, MessageTemplate, TransformationPlan, Upstream, UpstreamTls
from wardgate.proxy.core.http1.server_states import ServerState
from wardgate.proxy.settings import Limits, ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def once(response: bytes) -> Callable[[Provider], Script]:
    """Answer one request and close."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(response)
            await writer.drain()

        return script

    return make


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", b"upstream_reset"),
        (b"garbage\r\n\r\n", b"upstream_broken"),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", b"upstream_broken"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, b"upstream_broken"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", b"upstream_broken"),
    ],
)
def test_a_response_that_is_none_is_a_502(response: bytes, reason: bytes) -> None:
    async def scenario() -> list[bytes]:
        async with providing(once(response)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert b'{"error":' in answer
        return bench.lines

    assert b'"reason":"' + reason + b'"' in b"".join(run(scenario()))


def test_half_a_response_is_never_taken_for_a_whole_one() -> None:
    async def scenario() -> None:
        for half in (
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ):
            async with providing(once(half)) as provider, serving() as bench:
                await bench.apply(config(provider.port))
                answer = await bench.exchange(GET)
                assert not answer.endswith(b"0\r\n\r\n")
                assert answer.endswith(b"<reset>") or b"half" in answer

    run(scenario())


def test_an_upstream_that_takes_no_connection_is_a_502() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(config(1))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert b"cannot be reached" in answer

    run(scenario())


def test_a_name_without_an_address_is_a_502() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            nowhere = Upstream("provider", (Endpoint("no.such.host.invalid", 80),))
            await bench.apply(config(1, upstreams=(nowhere,)))
            assert b"cannot be resolved" in await bench.exchange(GET)

    run(scenario())


def test_an_address_that_is_not_allowed_is_never_dialled() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port, guard=Guard()))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert provider.connections == 0

    run(scenario())


def test_a_pinned_host_is_dialled_where_the_installation_says() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            pins = (("api.example.com:80", f"127.0.0.1:{provider.port}"),)
            async with serving(ProxySettings(admin="", pins=pins)) as bench:
                named = Upstream("provider", (Endpoint("api.example.com", 80),))
                await bench.apply(config(1, upstreams=(named,), guard=Guard()))
                assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")

    run(scenario())


def test_the_gateways_own_listener_is_never_an_upstream() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(config(bench.port))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")

    run(scenario())


def test_an_upstream_that_says_nothing_is_a_504() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: len(provider.received) == 1)
            bench.pass_time(599.0)
            await asyncio.sleep(0)
            bench.pass_time(2.0)
            assert (await caller.rest()).startswith(b"HTTP/1.1 504 ")

    run(scenario())


def test_an_upstream_that_stalls_in_its_body_cuts_the_caller_off() -> None:
    def stalling(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            await reader.read()

        return script

    async def scenario() -> None:
        async with providing(stalling) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            assert await caller.reader.readexactly(4) == b"half"
            bench.pass_time(301.0)
            assert await caller.rest() in (b"", b"<reset>")

    run(scenario())


def test_a_connection_that_idled_too_long_is_not_used_again() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(GET)
            bench.pass_time(51.0)
            await bench.exchange(GET)
            assert provider.connections == 2

    run(scenario())


def test_an_upstream_that_is_gone_from_the_config_keeps_no_connection() -> None:
    async def scenario() -> None:
        closed = asyncio.Event()

        def noticing(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(OK)
                await reader.read()
                closed.set()

            return script

        async with providing(noticing) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(GET)
            await bench.apply(config(1))
            await closed.wait()

    run(scenario())


def closing_after_each(provider: Provider) -> Script:
    """Answer one request, then close as soon as a second one arrives, without a word."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await provider.read_request(reader)
        writer.write(OK)
        await provider.read_request(reader)

    return script


def test_a_safe_request_that_met_a_dying_connection_is_sent_again() -> None:
    async def scenario() -> None:
        async with providing(closing_after_each) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            for _ in range(2):
                assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")
            assert provider.connections == 2

    run(scenario())


def test_a_post_that_may_have_been_served_is_not_sent_twice() -> None:
    async def scenario() -> None:
        async with providing(closing_after_each) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            post = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
            assert (await bench.exchange(post)).startswith(b"HTTP/1.1 200 ")
            assert (await bench.exchange(post)).startswith(b"HTTP/1.1 502 ")
            assert len(provider.received) == 2

    run(scenario())


def test_bytes_after_a_response_are_nobodys_answer() -> None:
    poison = OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"

    async def scenario() -> None:
        async with providing(answering(poison)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            for _ in range(3):
                answer = await bench.exchange(GET)
                assert answer.endswith(b"ok")
            assert provider.connections == 3

    run(scenario())


def test_a_response_before_the_request_has_ended_closes_both_connections() -> None:
    def hasty(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            provider.received.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nwait")
            await writer.drain()
            await reader.read()

        return script

    async def scenario() -> None:
        async with providing(hasty) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nabc")
            status, head, body = await caller.response()
            assert (status, body) == (429, b"wait")
            assert b"connection: close\r\n" in head
            assert await caller.rest() == b""

    run(scenario())


def test_a_slow_caller_does_not_fill_the_gateways_memory() -> None:
    sent = 0

    def flooding(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await provider.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n")
            for _ in range(2000):
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000

        return script

    async def scenario() -> None:
        async with providing(flooding) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.1)
            assert sent < 50_000_000
            for _ in range(2):
                bench.pass_time(61.0)
            await settle(lambda: not bench.connections)

    run(scenario())


def test_a_slow_provider_does_not_fill_the_gateways_memory() -> None:
    def lazy(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            provider.received.append(await reader.readuntil(b"\r\n\r\n"))
            await asyncio.Event().wait()

        return script

    async def scenario() -> None:
        async with providing(lazy) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            caller.writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000_000)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await caller.writer.drain()
            caller.close()

    run(scenario())


def test_too_many_connections_to_one_endpoint_are_refused() -> None:
    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(upstream_connections=1))
        async with providing(silent) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            first = await bench.connect()
            await first.send(GET)
            await settle(lambda: len(provider.received) == 1)
            second = await bench.connect()
            await second.send(GET)
            await settle(lambda: bench.counters.in_flight == 2)
            bench.pass_time(5.0)
            assert (await second.rest()).startswith(b"HTTP/1.1 503 ")
            first.close()

    run(scenario())


def test_too_many_callers_are_not_taken() -> None:
    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(connections=1))
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            first = await bench.connect()
            await settle(lambda: len(bench.connections) == 1)
            second = await bench.connect()
            assert await second.rest() in (b"", b"<reset>")
            first.close()

    run(scenario())


def test_a_response_that_a_plan_reads_has_a_limit() -> None:
    plan = TransformationPlan(
        "p", "post", response=MessageTemplate(body_mode="template", body="<{{ body() }}>", parse_body="DontParse")
    )

    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(body_bytes=5))
        small = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsmall"
        large = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nlarger"
        for response, status, body in ((small, 200, b"<small>"), (large, 502, b"")):
            async with providing(answering(response)) as provider, serving(settings) as bench:
                base = config(provider.port, transformations=(plan,))
                route = replace(base.listeners[0].virtual_hosts[0].routes[0], transformations=("p",))
                host = replace(base.listeners[0].virtual_hosts[0], routes=(route,))
                await bench.apply(replace(base, listeners=(replace(base.listeners[0], virtual_hosts=(host,)),)))
                answer = await bench.exchange(GET)
                assert answer.startswith(b"HTTP/1.1 %d " % status)
                assert body in answer

    run(scenario())


def test_a_revoked_key_is_refused_at_once_and_cut_off_after_the_grace() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            request = b"GET / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\n\r\n"
            caller = await bench.connect()
            await caller.send(request)
            await settle(lambda: len(provider.received) == 1)
            await bench.apply(guarded(provider.port))
            other = await bench.connect()
            await other.send(request)
            assert (await other.response())[0] == 401
            bench.pass_time(1.0)
            bench.pass_time(58.0)
            assert len(bench.connections) == 2
            bench.pass_time(2.0)
            assert await caller.rest() in (b"", b"<reset>")
            other.close()

    run(scenario())


def test_an_expired_key_is_refused_and_cut_off_after_the_grace() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            expiring = replace(CREDENTIAL, expires_at=int(bench.clock.at) + 5)
            await bench.apply(guarded(provider.port, credentials=(expiring,)))
            caller = await bench.connect()
            await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\n\r\n")
            await settle(lambda: len(provider.received) == 1)
            bench.pass_time(6.0)
            assert len(bench.connections) == 1
            refused = b"GET / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nConnection: close\r\n\r\n"
            assert (await bench.exchange(refused)).startswith(b"HTTP/1.1 401 ")
            bench.pass_time(61.0)
            assert await caller.rest() in (b"", b"<reset>")

    run(scenario())


# Deadlines of callers.


def test_a_head_that_dribbles_is_a_408() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"GET / HTTP/1.1\r\n")
            await settle(lambda: any(one.requests.state is ServerState.HEAD for one in bench.connections))
            bench.pass_time(14.0)
            await caller.send(b"Host: h\r\n")
            await asyncio.sleep(0.01)
            bench.pass_time(2.0)
            assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")

    run(scenario())


def test_an_idle_connection_is_closed_without_a_word() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await settle(lambda: len(bench.connections) == 1)
            bench.pass_time(76.0)
            assert await caller.rest() in (b"", b"<reset>")

    run(scenario())


def test_a_body_that_stops_is_a_408() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            await settle(lambda: provider.connections == 1)
            await asyncio.sleep(0.01)
            bench.pass_time(61.0)
            assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")

    run(scenario())


# TLS.


async def tls_provider(provider: Provider, leaf: trustme.LeafCert) -> asyncio.Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=context)


@pytest.mark.parametrize(
    ("tls", "trusted", "status"),
    [
        (UpstreamTls(sni="api.example.com"), True, 200),
        (UpstreamTls(sni="api.example.com"), False, 502),
        (UpstreamTls(sni="other.example.com"), True, 502),
        (UpstreamTls(sni="other.example.com", verify=False), False, 200),
        (UpstreamTls(sni="other.example.com", verify_names=("api.example.com",)), True, 200),
        (UpstreamTls(sni="api.example.com", verify_names=("other.example.com",)), True, 502),
    ],
)
def test_an_upstreams_certificate_is_verified(tls: UpstreamTls, status: int, tmp_path: Path, *, trusted: bool) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        provider = Provider(script=_unused)
        provider.script = answering(OK)(provider)
        server = await tls_provider(provider, authority.issue_cert("api.example.com"))
        port = server.sockets[0].getsockname()[1]
        settings = ProxySettings(admin="", upstream_ca=str(tmp_path / "ca.pem") if trusted else "")
        async with serving(settings) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), tls=tls),)))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 %d " % status)
            assert len(provider.received) == (1 if status == 200 else 0)
        server.close()

    run(scenario())


@pytest.mark.parametrize("verify_names", [(), ("api.example.com",)])
def test_name_in_the_common_name_alone_proves_nothing(verify_names: tuple[str, ...], tmp_path: Path) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        provider = Provider(script=_unused)
        provider.script = answering(OK)(provider)
        server = await tls_provider(provider, authority.issue_cert(common_name="api.example.com"))
        port = server.sockets[0].getsockname()[1]
        tls = UpstreamTls(sni="api.example.com", verify_names=verify_names)
        async with serving(ProxySettings(admin="", upstream_ca=str(tmp_path / "ca.pem"))) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), tls=tls),)))
            answer = await bench.exchange(GET)
        server.close()
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert provider.received == []

    run(scenario())


def test_an_upstreams_own_ca_is_the_only_one_trusted() -> None:
    async def scenario() -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        provider = Provider(script=_unused)
        provider.script = answering(OK)(provider)
        server = await tls_provider(provider, authority.issue_cert("api.example.com"))
        port = server.sockets[0].getsockname()[1]
        for ca, status in ((authority, 200), (stranger, 502)):
            async with serving() as bench:
                await bench.apply(with_tls(port, UpstreamTls("api.example.com", ca=ca.cert_pem.bytes().decode())))
                assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 %d " % status)
        server.close()

    run(scenario())


def test_certificates_that_can_not_be_used_are_reported_and_refuse_the_upstream() -> None:
    async def scenario(bench: Bench) -> None:
        problems = await bench.apply(with_tls(1, UpstreamTls("api.example.com", ca="no certificate")))
        assert len(problems) == 1
        assert problems[0].startswith("Upstream provider: The caCertificates cannot be used: ")
        assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")

    async def served() -> None:
        async with serving() as bench:
            await scenario(bench)

    run(served())


def with_tls(port: int, tls: UpstreamTls) -> GatewayConfig:
    return config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), tls=tls),))


async def _unused(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    raise AssertionError
