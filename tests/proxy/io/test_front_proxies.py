"""Proxies in front of a listener: callers' addresses out of their words, on sockets and through TLS."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from base64 import b64encode
from dataclasses import replace

import pytest
import trustme

from tests.proxy.core.origin.test_proxy_header import FOUR, IPV4, LINE, LOCAL, PROXY, binary
from tests.proxy.io.bench import CREDENTIAL, KEY, OK, Bench, answering, config, guarded, providing, run, serving, settle
from tests.proxy.io.test_listener_tls import tls_of
from wardgate.ir import AuthPlan, BasicAuthStep, BasicUser, FrontProxies, GatewayConfig, ListenerTls
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts
from wardgate.sensitive import Sensitive

GET = b"GET / HTTP/1.1\r\nHost: gw.example.com\r\nConnection: close\r\n\r\n"


def behind(base: GatewayConfig, front: FrontProxies, *, tls: ListenerTls | None = None) -> GatewayConfig:
    """The config with proxies in front of its listener, and with an upstream that is told of callers."""
    upstreams = tuple(replace(upstream, send_forwarded=True) for upstream in base.upstreams)
    return replace(base, listeners=(replace(base.listeners[0], front=front, tls=tls),), upstreams=upstreams)


def get(*headers: str, close: bool = True) -> bytes:
    lines = ["GET / HTTP/1.1", "Host: gw.example.com", *headers, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def told(head: bytes) -> dict[str, str]:
    """The fields about the way of a request, as the provider got them."""
    lines = [line.partition(": ") for line in head.decode().split("\r\n")]
    return {name.lower().removeprefix("x-forwarded-"): value for name, _, value in lines if "forwarded" in name.lower()}


async def peers(bench: Bench, count: int) -> list[str]:
    """The callers' addresses of the access log."""

    def written() -> bool:
        bench.log.flush()
        return len(b"".join(bench.lines).splitlines()) >= count

    await settle(written)
    return [json.loads(line)["caller"] for line in b"".join(bench.lines).splitlines()]


def test_spoofed_headers_change_neither_the_log_nor_what_the_upstream_is_told() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies()))
            spoofed = get("X-Forwarded-For: 6.6.6.6", "x_forwarded_for: 6.6.6.6", "Forwarded: for=6.6.6.6")
            assert (await bench.exchange(spoofed)).endswith(b"ok")
            assert {"for": "127.0.0.1", "proto": "http"} == told(provider.received[0])
            assert b"6.6.6.6" not in provider.received[0]
            assert ["127.0.0.1"] == await peers(bench, 1)

    run(scenario())


def test_requests_on_one_connection_of_a_believed_proxy_have_their_own_callers() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(1)))
            balancer = await bench.connect()
            for address in ("192.0.2.1", "2001:db8::1", "nonsense"):
                await balancer.send(
                    get(f"X-Forwarded-For: 6.6.6.6, {address}", "X-Forwarded-Proto: https", close=False)
                )
                assert (200, b"ok") == (await balancer.response())[::2]
            expected = [
                {"for": "192.0.2.1, 127.0.0.1", "proto": "https"},
                {"for": "2001:db8::1, 127.0.0.1", "proto": "https"},
                {"for": "127.0.0.1", "proto": "http"},
            ]
            assert expected == [told(head) for head in provider.received]
            assert ["192.0.2.1", "2001:db8::1", "127.0.0.1"] == await peers(bench, 3)

    run(scenario())


def test_request_that_cannot_be_read_is_not_laid_at_the_last_callers_door() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(1)))
            balancer = await bench.connect()
            await balancer.send(get("X-Forwarded-For: 192.0.2.1", close=False))
            await balancer.response()
            await balancer.send(b"nonsense\r\n\r\n")
            await balancer.rest()
            assert ["192.0.2.1", "127.0.0.1"] == await peers(bench, 2)

    run(scenario())


def test_connections_of_a_believed_proxy_are_no_callers_share() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(1)))
            # A believed proxy may have all connections, of which an ordinary caller gets a quarter.
            balancers = [await bench.connect() for _ in range(8)]
            await balancers[7].send(get("X-Forwarded-For: 192.0.2.1"))
            assert (await balancers[7].rest()).endswith(b"ok")
            await bench.apply(behind(config(provider.port), FrontProxies()))
            strangers = [await bench.connect(address="127.0.0.2") for _ in range(3)]
            assert b"" == await strangers[2].rest()

    run(scenario())


def test_belief_changes_with_the_config_on_a_connection_that_is_open() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            request = get("X-Forwarded-For: 192.0.2.1", close=False)
            await bench.apply(behind(config(provider.port), FrontProxies(1)))
            balancer = await bench.connect()
            for front in (FrontProxies(1), FrontProxies(1, trusted_networks=("10.0.0.0/8",))):
                await bench.apply(behind(config(provider.port), front))
                await balancer.send(request)
                await balancer.response()
            assert ["192.0.2.1", "127.0.0.1"] == await peers(bench, 2)

    run(scenario())


HEADERS = {
    "line": (LINE, "192.0.2.1"),
    "IPv4": (binary(PROXY, IPV4, FOUR + bytes(300)), "192.0.2.1"),
    "IPv6": (b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1"),
    "a health check": (binary(LOCAL, 0, b""), "127.0.0.1"),
}


@pytest.mark.parametrize(("header", "address"), HEADERS.values(), ids=HEADERS)
def test_introduced_caller_is_the_one_that_counts(header: bytes, address: str) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(proxy_protocol=True)))
            assert (await bench.exchange(header + GET)).endswith(b"ok")
            assert {"for": address, "proto": "http"} == told(provider.received[0])
            assert [address] == await peers(bench, 1)

    run(scenario())


def test_header_may_arrive_byte_by_byte() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(proxy_protocol=True)))
            for header in (LINE, binary(PROXY, IPV4, FOUR)):
                balancer = await bench.connect()
                balancer.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in header:
                    await balancer.send(bytes((byte,)))
                    await asyncio.sleep(0)
                await balancer.send(GET)
                assert (await balancer.rest()).endswith(b"ok")
            assert ["192.0.2.1", "192.0.2.1"] == await peers(bench, 2)

    run(scenario())


async def over_tls(bench: Bench, authority: trustme.CA, header: bytes, *, ahead: int = 0) -> bytes:
    """A request over TLS behind a header; ``ahead`` bytes of the handshake go in the same segment as the header."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="gw.example.com")
    caller = await bench.connect()
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    await caller.send(header + hello[:ahead])
    await asyncio.sleep(0.01)
    await caller.send(hello[ahead:])
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            await caller.send(outgoing.read())
            incoming.write(await caller.reader.read(65536))
    tls.write(GET)
    await caller.send(outgoing.read())
    answer = b""
    while not answer.endswith(b"ok"):
        incoming.write(await caller.reader.read(65536))
        try:
            answer += tls.read()
        except ssl.SSLWantReadError:
            continue
    return answer


@pytest.mark.parametrize("ahead", [0, 1, 100_000], ids=["alone", "with a byte", "with the whole hello"])
@pytest.mark.parametrize(("header", "address"), list(HEADERS.values())[:3], ids=list(HEADERS)[:3])
def test_header_stands_before_the_handshake(header: bytes, address: str, ahead: int) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        front = FrontProxies(proxy_protocol=True)
        async with providing(answering(OK)) as provider, serving() as bench:
            assert () == await bench.apply(behind(config(provider.port), front, tls=tls_of(authority)))
            assert (await over_tls(bench, authority, header, ahead=ahead)).endswith(b"ok")
            assert {"for": address, "proto": "https"} == told(provider.received[0])
            assert [address] == await peers(bench, 1)

    run(scenario())


@pytest.mark.parametrize(
    "start", [GET, b"\x16\x03\x01\x02\x00\x01", b"PROXY TCP4 nobody\r\n"], ids=["http", "tls", "bad"]
)
def test_connection_without_a_header_is_closed_and_counted(start: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(proxy_protocol=True)))
            assert await bench.exchange(start) in (b"", b"<reset>")
            assert [] == provider.received
            assert [["proxy_header", 1]] == bench.counters.take()["refused_connections"]

    run(scenario())


def test_connection_that_says_nothing_is_closed_in_time_and_leaves_nothing() -> None:
    settings = ProxySettings(admin="", timeouts=Timeouts(head=0.05))

    async def scenario() -> None:
        async with serving(settings) as bench:
            await bench.apply(behind(config(1), FrontProxies(proxy_protocol=True)))
            silent = await bench.connect()
            await silent.send(LINE[:10])
            assert await silent.rest() in (b"", b"<reset>")
            assert [["proxy_header", 1]] == bench.counters.take()["refused_connections"]
            assert 0 == bench.gateway.context.ports.opening

    run(scenario())


def test_balancer_that_looks_whether_somebody_listens_is_no_refusal() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(behind(config(1), FrontProxies(proxy_protocol=True)))
            look = await bench.connect()
            await settle(lambda: bench.gateway.context.ports.opening == 1)
            look.close()
            await settle(lambda: bench.gateway.context.ports.opening == 0)
            assert [] == bench.counters.take()["refused_connections"]

    run(scenario())


def test_connection_from_elsewhere_is_closed_before_it_is_read() -> None:
    async def scenario() -> None:
        front = FrontProxies(proxy_protocol=True, trusted_networks=("127.0.0.2/32",))
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(config(provider.port), front))
            assert await bench.exchange(LINE + GET) in (b"", b"<reset>")
            assert [["proxy_untrusted", 1]] == bench.counters.take()["refused_connections"]
            balancer = await bench.connect(address="127.0.0.2")
            await balancer.send(LINE + GET)
            assert (await balancer.rest()).endswith(b"ok")
            assert ["192.0.2.1"] == await peers(bench, 1)

    run(scenario())


def test_caller_behind_a_balancer_fills_its_own_share_and_no_other() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(behind(config(provider.port), FrontProxies(proxy_protocol=True)))
            greedy = [await bench.connect() for _ in range(2)]
            for one in greedy:
                await one.send(LINE)
            await settle(lambda: len(bench.connections) == 2)
            third = await bench.connect()
            await third.send(LINE)
            assert await third.rest() in (b"", b"<reset>")
            other = await bench.connect()
            await other.send(LINE.replace(b"192.0.2.1", b"192.0.2.2") + GET)
            assert (await other.rest()).endswith(b"ok")
            assert [["caller_over_share", 1]] == bench.counters.take()["refused_connections"]

    run(scenario())


def test_headers_are_asked_for_from_the_config_that_says_so() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            for proxy_protocol in (False, True, False):
                await bench.apply(behind(config(provider.port), FrontProxies(proxy_protocol=proxy_protocol)))
                assert (await bench.exchange(LINE * proxy_protocol + GET)).endswith(b"ok")
            assert (await bench.exchange(LINE + GET)).startswith(b"HTTP/1.1 400 ")

    run(scenario())


def test_guarded_route_asks_for_a_key_behind_a_balancer_too() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(guarded(provider.port), FrontProxies(1, proxy_protocol=True)))
            answer = await bench.exchange(LINE + get("X-Forwarded-For: 192.0.2.9"))
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert [] == provider.received
            assert ["192.0.2.9"] == await peers(bench, 1)

    run(scenario())


@pytest.mark.parametrize("front", [FrontProxies(), FrontProxies(1), FrontProxies(1, trusted_networks=("10.0.0.0/8",))])
@pytest.mark.parametrize("is_told", [True, False], ids=["told", "not told"])
def test_plain_requests_are_told_of_on_the_fast_path_as_on_the_general_one(
    front: FrontProxies, *, is_told: bool
) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            base = behind(guarded(provider.port, credentials=(CREDENTIAL,)), front)
            await bench.apply(base if is_told else replace(base, upstreams=guarded(provider.port).upstreams))
            caller = await bench.connect()
            key, addresses = f"api-key: {KEY}", ("192.0.2.1", "192.0.2.2", "nonsense", "192.0.2.1")
            for address in addresses:
                words = (f"X-Forwarded-For: 6.6.6.6, {address}", "X-Forwarded-Proto: https", "x_real_ip: 6.6.6.6")
                await caller.send(get(key, *words, close=False))
                assert 200 == (await caller.response())[0]
            assert len(addresses) - 1 == bench.counters.prepared
            believed = front == FrontProxies(1)
            expected = [one if believed and one != "nonsense" else "127.0.0.1" for one in addresses]
            assert expected == await peers(bench, len(addresses))
            fields = [
                {"for": f"{one}, 127.0.0.1", "proto": "https"}
                if one != "127.0.0.1"
                else {"for": "127.0.0.1", "proto": "http"}
                for one in expected
            ]
            assert (fields if is_told else [{}] * len(addresses)) == [told(head) for head in provider.received]
            assert not any(b"6.6.6.6" in head for head in provider.received)

    run(scenario())


def test_host_in_the_words_of_a_proxy_takes_the_general_way() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(behind(guarded(provider.port, credentials=(CREDENTIAL,)), FrontProxies(1)))
            caller = await bench.connect()
            for host in ("api.example.com", KEY, "api.example.com"):
                await caller.send(
                    get(f"api-key: {KEY}", "X-Forwarded-For: 192.0.2.1", f"X-Forwarded-Host: {host}", close=False)
                )
                assert 200 == (await caller.response())[0]
            assert 0 == bench.counters.prepared
            way = {"for": "192.0.2.1, 127.0.0.1", "proto": "http"}
            with_host = {**way, "host": "api.example.com"}
            assert [with_host, way, with_host] == [told(head) for head in provider.received]

    run(scenario())


def test_guesses_are_counted_for_the_caller_that_a_believed_proxy_names() -> None:
    """Whoever is not believed writes a new address with each guess, and gains nothing by it."""
    user = BasicUser("ann", Sensitive(""), Sensitive("NstYn3QVe0WBGmkMWLQ0CV9I6fo="))
    plan = AuthPlan("plan", (BasicAuthStep("config_0", "realm", "sha1", (user,)),), policy="policy")

    async def statuses(bench: Bench, addresses: list[str]) -> list[int]:
        found = []
        for number, address in enumerate(addresses):
            shown = b64encode(b"ann:wrong-%d" % number).decode()
            answer = await bench.exchange(get(f"authorization: Basic {shown}", f"X-Forwarded-For: {address}"))
            found.append(int(answer.split(b" ")[1]))
        return found

    async def scenario(front: FrontProxies) -> list[int]:
        async with serving(ProxySettings(admin="", limits=Limits(user_guesses=2, address_guesses=2))) as bench:
            await bench.apply(replace(behind(guarded(1), front), auth_plans=(plan,)))
            return await statuses(bench, ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"])

    assert [401, 401, 429, 429] == run(scenario(FrontProxies()))
    assert [401, 401, 401, 401] == run(scenario(FrontProxies(1)))
