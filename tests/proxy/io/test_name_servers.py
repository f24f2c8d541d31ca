"""Real lookups over UDP: a zone whose name server keeps silent stalls nobody else."""

from __future__ import annotations

import time
from dataclasses import replace

import pycares
import pytest

from tests.proxy.io.bench import OK, PORT, answering, config, open_route, providing, run, serving, settle
from tests.proxy.io.name_server import name_server
from wardgate.ir import Endpoint, Forward, Listener, Upstream, VirtualHost, WeightedUpstream
from wardgate.proxy.io.upstream import name_servers
from wardgate.proxy.io.upstream.name_servers import NameServers
from wardgate.proxy.settings import ProxySettings, Timeouts
from wardgate.tasks import spawn

DEAD = 40
"""Names in the silent zone; more than any pool of threads that a loop has by default on two cores."""


def forwarding(host: str, name: str) -> VirtualHost:
    return VirtualHost((host,), (open_route(name=name, action=Forward((WeightedUpstream(name, 1),))),))


def get(host: str) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def test_addresses_come_from_the_server_and_a_denied_name_has_none() -> None:
    async def scenario() -> None:
        async with name_server({"live.example": "192.0.2.7"}, silent="dead.example") as server:
            names = NameServers(servers=[server.address])
            assert await names.lookup("live.example.", 80) == ("192.0.2.7",)
            assert await names.lookup("gone.example.", 80) == ()
            assert await names.lookup("a..b", 80) == ()

    run(scenario())


def test_a_server_that_is_not_there_is_a_failure_and_not_an_absent_name() -> None:
    async def scenario() -> None:
        async with name_server({}, silent="dead.example") as server:
            address = server.address
        with pytest.raises(OSError, match="DNS server"):
            await NameServers(servers=[address]).lookup("live.example.", 80)

    run(scenario())


def test_the_hosts_file_counts_and_no_server_is_asked() -> None:
    async def scenario() -> None:
        async with name_server({}, silent="dead.example") as server:
            assert "127.0.0.1" in await NameServers(servers=[server.address]).lookup("localhost", 80)
            assert server.asked == []

    run(scenario())


@pytest.mark.parametrize(("host", "expected"), [("web.b", ("192.0.2.7",)), ("web.b.", ())])
def test_a_name_with_a_dot_at_its_end_is_not_searched_for(
    host: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALDOMAIN", "svc.cluster.local")

    async def scenario() -> None:
        async with name_server({"web.b.svc.cluster.local": "192.0.2.7"}, silent="dead.example") as server:
            assert expected == await NameServers(servers=(server.address,)).lookup(host, 443)

    run(scenario())


def test_a_short_name_is_looked_for_in_the_search_domains_of_a_pod() -> None:
    domains = ["ai.svc.cluster.local", "svc.cluster.local", "cluster.local"]

    async def scenario() -> None:
        addresses = {"models.svc.cluster.local": "192.0.2.1", "api.example": "192.0.2.2"}
        async with name_server(addresses, silent="dead.example") as server:
            names = NameServers()
            names._channel = pycares.Channel(servers=[server.address], domains=domains, ndots=5)
            assert await names.lookup("models", 80) == ("192.0.2.1",)
            assert await names.lookup("api.example", 443) == ("192.0.2.2",)
            assert set(server.asked) == {
                "models.ai.svc.cluster.local",
                "models.svc.cluster.local",
                "api.example.ai.svc.cluster.local",
                "api.example.svc.cluster.local",
                "api.example.cluster.local",
                "api.example",
            }

    run(scenario())


def test_a_slow_zone_behind_a_quick_server_is_waited_for() -> None:
    async def scenario() -> None:
        quick = {f"h{number}.example": "192.0.2.1" for number in range(10)}
        addresses = {**quick, "slow.example": "192.0.2.2"}
        async with name_server(addresses, silent="dead.example", slow={"slow.example": 3.0}) as server:
            names = NameServers(servers=[server.address])
            for name in quick:
                await names.lookup(f"{name}.", 80)
            assert await names.lookup("slow.example.", 80) == ("192.0.2.2",)

    run(scenario())


def test_a_lookup_ends_however_long_the_tries_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_servers, "_LONGEST", 0.05)

    async def scenario() -> None:
        async with name_server({}, silent="dead.example") as server:
            with pytest.raises(TimeoutError):
                await NameServers(servers=[server.address]).lookup("a.dead.example.", 80)

    run(scenario())


def test_an_answer_after_the_end_of_the_loop_disturbs_nobody() -> None:
    async def scenario() -> None:
        async with name_server({}, silent="dead.example") as server:
            lookup = spawn(NameServers(servers=[server.address]).lookup("a.dead.example.", 80), name="look up")
            await settle(lambda: len(server.asked) > 0)
            lookup.cancel()

    started = time.monotonic()
    run(scenario())
    assert time.monotonic() - started < 5.0


def test_a_silent_zone_stalls_no_new_connection_to_another_upstream() -> None:
    async def scenario() -> None:
        # Longer than the test: whoever waits for a dead name waits to its end.
        settings = ProxySettings(admin="", timeouts=Timeouts(connect=60.0))
        async with (
            name_server({"live.example": "127.0.0.1"}, silent="dead.example") as server,
            providing(answering(OK)) as provider,
            serving(settings, lookup=NameServers(servers=[server.address]).lookup) as bench,
        ):
            dead = [f"h{number}.dead.example" for number in range(DEAD)]
            hosts = {host: f"u{number}" for number, host in enumerate(["live.example", *dead])}
            await bench.apply(
                replace(
                    config(provider.port),
                    listeners=(Listener("main", PORT, tuple(forwarding(host, name) for host, name in hosts.items())),),
                    upstreams=tuple(Upstream(name, (Endpoint(f"{h}.", provider.port),)) for h, name in hosts.items()),
                )
            )
            stuck = [spawn(bench.exchange(get(host)), name=host) for host in dead]
            await settle(lambda: len({name for name in server.asked if name.endswith("dead.example")}) == DEAD)
            for _ in range(3):
                assert (await bench.exchange(get("live.example"))).startswith(b"HTTP/1.1 200 OK")
                bench.clock.pass_time(6.0)
            assert not any(task.done() for task in stuck)

    run(scenario())
