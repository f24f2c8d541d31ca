"""Several addresses of one name: families take turns, the first to answer wins, and the others are closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from tests.proxy.io.bench import OK, Clock, Provider, answering, config, providing, run, serving
from wardgate.ir import Endpoint, Guard, Upstream, UpstreamTls
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.proxy.io.tls import TlsFactory
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.happy_eyeballs import first_connected, interleaved
from wardgate.proxy.io.upstream.resolver import Address, Resolver
from wardgate.proxy.settings import Limits, Timeouts

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
NEVER = 3600.0


@contextmanager
def listening(ip: str = "127.0.0.1") -> Iterator[Address]:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.create_server((ip, 0), family=family) as server:
        yield Address(ip, server.getsockname()[1])


@contextmanager
def silent() -> Iterator[Address]:
    """An address that answers no connection: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        place = server.getsockname()
        with socket.create_connection(place):
            yield Address("127.0.0.1", place[1])


REFUSING = Address("127.0.0.1", 1)


async def winner(*addresses: Address, moment: float) -> Address | str:
    address, connected = await first_connected(addresses, moment=moment)
    if isinstance(connected, OSError):
        return type(connected).__name__
    assert connected.getpeername()[:2] == (address.ip, address.port)
    connected.close()
    return address


def test_families_take_turns_beginning_with_the_resolvers_first() -> None:
    names = ["a:", "b:", "c:", "1", "2"]
    addresses = [Address(name, 1) for name in names]
    assert ["a:", "1", "b:", "2", "c:"] == [each.ip for each in interleaved(addresses)]
    assert ["1", "a:", "2", "b:", "c:"] == [each.ip for each in interleaved(addresses[3:] + addresses[:3])]


def test_next_address_is_tried_at_once_when_one_fails() -> None:
    with listening() as good, listening("::1") as better:
        assert good == run(winner(REFUSING, good, moment=NEVER))
        assert better == run(winner(REFUSING, better, good, moment=NEVER))


def test_next_address_is_tried_after_a_moment_of_silence() -> None:
    with silent() as lost, listening("::1") as good:
        assert good == run(winner(lost, good, moment=0.01))


def test_first_address_has_its_moment() -> None:
    with listening() as first, listening("::1") as second:
        assert first == run(winner(first, second, moment=NEVER))


def test_last_failure_is_told_where_all_fail() -> None:
    assert "ConnectionRefusedError" == run(winner(REFUSING, REFUSING, moment=NEVER))


def test_all_but_one_are_closed() -> None:
    async def scenario() -> None:
        with listening() as first, listening("::1") as second, silent() as third:
            for _ in range(20):
                await winner(third, first, second, moment=0.0)
            await asyncio.sleep(0.01)  # a socket that is left open is a warning, which is an error

    run(scenario())


def test_race_that_is_given_up_leaves_nothing_open() -> None:
    async def scenario() -> None:
        with silent() as one, silent() as another:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await first_connected([one, another], moment=0.01)
            await asyncio.sleep(0.01)

    run(scenario())


def test_upstream_is_reached_at_whichever_address_serves() -> None:
    async def lookup(host: str, port: int) -> tuple[str, ...]:
        return "::1", "127.0.0.1"

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(lookup=lookup) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("two.example", provider.port),)),)))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")

    run(scenario())


def test_address_that_is_not_allowed_takes_no_part_in_the_race() -> None:
    async def lookup(host: str, port: int) -> tuple[str, ...]:
        return "127.0.0.1", "127.0.0.2", "::1"

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(lookup=lookup) as bench:
            named = Upstream("provider", (Endpoint("two.example", provider.port),))
            guard = Guard(allow_loopback=True, deny_cidrs=("127.0.0.1/32",))
            await bench.apply(config(1, upstreams=(named,), guard=guard))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")
            assert 0 == provider.connections

    run(scenario())


def dialer(*ips: str, **times: float) -> Dialer:
    async def lookup(host: str, port: int) -> tuple[str, ...]:
        return ips

    clock = Clock()
    resolver = Resolver(pins={}, lookup=lookup, clock=clock, stale=0.0)
    resolver.rules = AddressRules(Guard(allow_loopback=True))
    return Dialer(
        resolver=resolver,
        tls=TlsFactory(files_root="", extra_ca=""),
        limits=Limits(),
        timeouts=Timeouts(**times),
        clock=clock,
        unix_root="",
    )


def test_server_that_does_not_shake_hands_leaves_the_others_their_turn() -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.example.com").configure_cert(context)
        provider = Provider(script=lambda _r, _w: asyncio.sleep(0))
        provider.script = answering(OK)(provider)
        async with providing(lambda _: _hang_up) as plain:
            secure = await asyncio.start_server(provider.serve, "127.0.0.2", plain.port, ssl=context)
            async with secure:
                tls = UpstreamTls(sni="api.example.com", ca=authority.cert_pem.bytes().decode())
                upstream = Upstream("provider", (Endpoint("two.example", plain.port),), tls=tls)
                dial = dialer("127.0.0.1", "127.0.0.2")
                connection = await dial.connect(upstream.endpoints[0], upstream, context=dial.tls.upstream(tls))
                assert connection.transport is not None
                assert "127.0.0.2" == connection.transport.get_extra_info("peername")[0]
                connection.close()

    run(scenario())


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("ips", "after", "on"), [(("127.0.0.1",), 45.0, 1), (("127.0.0.1", "::1"), 7.6, 1), (("127.0.0.1",), 0.0, 0)]
)
def test_silent_connection_is_probed(ips: tuple[str, ...], after: float, on: int) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            upstream = Upstream("provider", (Endpoint("h.example", provider.port),))
            connection = await dialer(*ips, tcp_keep_alive=after).connect(upstream.endpoints[0], upstream, context=None)
            assert connection.transport is not None
            sock = connection.transport.get_extra_info("socket")
            assert on == sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert 1 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            if on:
                assert round(after) == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            connection.close()

    run(scenario())
