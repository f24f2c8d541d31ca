"""The supervisor with real worker processes: configs, deaths, drains."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
    PORT,
    answering,
    config,
    guarded,
    open_route,
    providing,
    routed,
    run,
    settle,
)
from tests.proxy.io.test_loops import balancer
from wardgate.ir import GatewayConfig
from wardgate.proxy.departures import LINGER
from wardgate.proxy.rollout import ConfigRefused
from wardgate.proxy.settings import ProxySettings, Timeouts
from wardgate.proxy.sockets import BindError
from wardgate.proxy.supervisor import Applied, Supervisor
from wardgate.wire.bundle import Bundle, hash_of
from wardgate.wire.encode import encode

pytestmark = [pytest.mark.slow, pytest.mark.measured]

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
SETTINGS = ProxySettings(bind="127.0.0.1", ports=((PORT, 0),), workers=2, admin="127.0.0.1:0", access_log=False)


class Running:
    """A supervisor, and what it announced."""

    def __init__(self, settings: ProxySettings) -> None:
        self.announced: list[str] = []
        self.supervisor = Supervisor(settings, announce=self.announced.append)

    async def apply(self, new: GatewayConfig) -> Applied:
        return await self.supervisor.apply(encode(new))

    @property
    def worker_ids(self) -> tuple[int, ...]:
        """Process ids of the workers, by number."""
        processes = (worker._process for _, worker in sorted(self.supervisor._workers.items()))
        return tuple(process.pid for process in processes if process is not None)

    async def shown(self) -> Any:
        """The page at ``/revision``."""
        return json.loads((await self.admin("/revision")).split(b"\r\n\r\n")[1])

    async def admin(self, path: str) -> bytes:
        return await fetch(self.supervisor.admin_address, b"GET " + path.encode() + b" HTTP/1.1\r\n\r\n")


@asynccontextmanager
async def supervising(settings: ProxySettings = SETTINGS) -> AsyncIterator[Running]:
    running = Running(settings)
    await running.supervisor.start()
    try:
        yield running
    finally:
        await running.supervisor.stop()


async def fetch(address: str, request: bytes = GET) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def test_a_config_is_served_by_every_worker_and_shown() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            assert b" 503 " in await running.admin("/readyz")
            bundle = encode(config(provider.port))
            applied = await running.supervisor.apply(bundle)
            assert applied.problems == ()
            (listener,) = applied.listeners
            assert (listener.name, listener.port, listener.tls) == ("main", PORT, False)
            for _ in range(8):
                assert (await fetch(listener.address)).endswith(b"ok")
            assert b" 200 " in await running.admin("/readyz")
            assert b" 200 " in await running.admin("/healthz")
            shown = json.loads((await running.admin("/revision")).split(b"\r\n\r\n")[1])
            assert shown == {
                "revision": bundle.revision,
                "schema": bundle.schema,
                "reads": [1],
                "workers": [bundle.revision] * 2,
                "worker_troubles": [],
                "unserved": {},
            }
            assert b'"lab"' in await running.admin("/config")

    run(scenario())


def test_series_of_a_route_that_leaves_the_config_go_from_the_metrics() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            (listener,) = (await running.apply(config(provider.port))).listeners
            await fetch(listener.address)
            shown = b""
            while b'route="lab"' not in shown:
                await asyncio.sleep(0.1)
                shown = await running.admin("/metrics")
            assert b'wardgate_upstream_responses_total{status="200",upstream="provider"} 1.0' in shown
            await running.apply(config(provider.port, listeners=routed(open_route(name="other"))))
            assert b'route="lab"' in await running.admin("/metrics")
            running.supervisor._totals.clock = lambda: time.monotonic() + LINGER
            assert b'route="lab"' not in await running.admin("/metrics")

    run(scenario())


def test_listeners_come_and_go_and_one_that_cannot_be_bound_is_told() -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            number = taken.getsockname()[1]
            settings = replace(SETTINGS, ports=((PORT, 0), (PORT + 1, 0), (PORT + 2, number)))
            async with providing(answering(OK)) as provider, supervising(settings) as running:
                base = config(provider.port)
                (one,) = base.listeners
                others = [replace(one, name=f"other-{step}", port=PORT + step) for step in (1, 2)]
                addresses: dict[str, str] = {}
                for listeners in ((one,), (one, *others), (others[0],), (one,)):
                    applied = await running.apply(replace(base, listeners=tuple(listeners)))
                    served = {listener.name: listener.address for listener in applied.listeners}
                    assert {listener.name for listener in listeners} - {"other-2"} == served.keys()
                    for address in served.values():
                        assert (await fetch(address)).endswith(b"ok")
                    for name in addresses.keys() - served.keys():
                        with pytest.raises(OSError, match=r"refused|Connect call failed"):
                            await fetch(addresses[name])
                    shown = json.loads((await running.admin("/revision")).split(b"\r\n\r\n")[1])
                    told = shown["unserved"].get("other-2", "")
                    assert (others[1] in listeners) == (f"Port {number} of 127.0.0.1 is in use" in told)
                    assert set(shown["unserved"]) <= {"other-2"}
                    gauge = b'wardgate_listener_unserved{listener="other-2"} 1.0' in await running.admin("/metrics")
                    assert (others[1] in listeners) == gauge
                    addresses = served

    run(scenario())


def test_port_that_comes_free_is_served_without_another_config() -> None:
    async def scenario() -> None:
        taken = socket.create_server(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        async with (
            providing(answering(OK)) as provider,
            supervising(replace(SETTINGS, ports=((PORT, number),))) as running,
        ):
            applied = await running.apply(config(provider.port))
            assert () == applied.listeners
            assert "is in use" in applied.problems[0]
            taken.close()
            await settle(lambda: bool(running.announced))
            assert [f"Port {PORT} could be bound now, and is served."] == running.announced
            for _ in range(8):
                assert (await fetch(f"127.0.0.1:{number}")).endswith(b"ok")
            assert b'"unserved": {}' in await running.admin("/revision")

    run(scenario())


def test_both_families_are_served_by_every_worker() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, bind="::", admin="[::]:0")
        async with providing(answering(OK)) as provider, supervising(settings) as running:
            applied = await running.apply(config(provider.port))
            port = applied.listeners[0].address.rpartition(":")[2]
            for host in ("127.0.0.1", "::1") * 4:
                assert (await fetch(f"{host}:{port}")).endswith(b"ok")
            admin = running.supervisor.admin_address.rpartition(":")[2]
            for host in ("127.0.0.1", "::1"):
                assert b" 200 " in await fetch(f"{host}:{admin}", b"GET /config HTTP/1.1\r\n\r\n")

    run(scenario())


def test_a_loop_through_the_workers_of_a_process_ends_at_the_first_of_them() -> None:
    async def scenario() -> None:
        async with supervising() as running:
            applied = await running.apply(config(1))
            address = applied.listeners[0].address
            async with balancer(int(address.rpartition(":")[2])) as before:
                await running.apply(config(before.port))
                for _ in range(8):
                    assert (await fetch(address)).startswith(b"HTTP/1.1 508 ")
                assert len(before.received) == 8

    run(scenario())


def test_a_key_is_revoked_without_a_restart_and_counted() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            address = applied.listeners[0].address
            request = GET.replace(b"Host: h", b"Host: h\r\nApi-Key: mysecretkey")
            assert (await fetch(address, request)).startswith(b"HTTP/1.1 200 ")
            await running.apply(guarded(provider.port))
            for _ in range(8):
                assert (await fetch(address, request)).startswith(b"HTTP/1.1 401 ")
            metrics = b""
            while b'{code_class="4xx",key="",listener="main",reason="key_unknown",route="lab"} 8.0' not in metrics:
                await asyncio.sleep(0.1)
                metrics = await running.admin("/metrics")
            assert b"mysecretkey" not in metrics

    run(scenario())


def test_a_worker_that_dies_is_replaced_and_its_successor_serves() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            applied = await running.apply(config(provider.port))
            os.kill(running.worker_ids[0], signal.SIGKILL)
            assert (await fetch(applied.listeners[0].address)).endswith(b"ok")
            assert running.announced == ["Worker 0 ended with status -9; a new one takes its place."]
            assert b"wardgate_worker_restarts_total 1.0" in await running.admin("/metrics")

    run(scenario())


def test_a_bundle_that_can_not_be_read_changes_nothing() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            broken = Bundle(schema="1.0", revision="x", groups={"routes": b"garbage"}, hashes={"routes": "x"})
            with pytest.raises(ConfigRefused, match="cannot be read"):
                await running.supervisor.apply(broken)
            assert (await fetch(applied.listeners[0].address)).endswith(b"ok")

    run(scenario())


def test_a_port_in_use_is_a_problem_that_costs_nothing_else() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            settings = replace(SETTINGS, ports=((PORT, 0), (PORT + 1, provider.port)))
            async with supervising(settings) as running:
                base = config(provider.port)
                both = (base.listeners[0], replace(base.listeners[0], name="second", port=PORT + 1))
                applied = await running.apply(replace(base, listeners=both))
                assert [listener.name for listener in applied.listeners] == ["main"]
                assert len(applied.problems) == 1
                assert f"Port {provider.port} of 127.0.0.1 is in use" in applied.problems[0]
                assert (await fetch(applied.listeners[0].address)).endswith(b"ok")

    run(scenario())


def test_a_listener_that_goes_away_frees_its_port_and_may_come_back() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            address = applied.listeners[0].address
            gone = await running.apply(config(provider.port, listeners=()))
            assert gone.listeners == ()
            with pytest.raises(ConnectionRefusedError):
                await fetch(address)
            back = await running.apply(config(provider.port))
            assert (await fetch(back.listeners[0].address)).endswith(b"ok")

    run(scenario())


def test_an_admin_address_in_use_is_said_so() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            settings = replace(SETTINGS, admin=f"127.0.0.1:{provider.port}")
            with pytest.raises(BindError, match=rf"Port {provider.port} of 127.0.0.1 is in use .* --admin none\."):
                await Supervisor(settings, announce=print).start()

    run(scenario())


def test_config_changes_under_load_drop_no_request() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as first, providing(answering(OK)) as second, supervising() as running:
            applied = await running.apply(config(first.port))
            address = applied.listeners[0].address
            answers: list[bytes] = []
            stop = asyncio.Event()

            async def load() -> None:
                while not stop.is_set():
                    answers.append(await fetch(address))

            callers = [asyncio.get_running_loop().create_task(load()) for _ in range(4)]
            for turn in range(12):
                await running.apply(config((first, second)[turn % 2].port, credentials=(CREDENTIAL,) * (turn % 2)))
            stop.set()
            await asyncio.gather(*callers)
            assert len(answers) > 20
            assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
            assert first.received
            assert second.received

    run(scenario())


def test_a_bundle_that_no_worker_can_serve_is_refused_and_costs_nothing() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            before = encode(config(provider.port))
            (listener,) = (await running.supervisor.apply(before)).listeners
            bundle = encode(guarded(provider.port, credentials=(CREDENTIAL,)))
            name = next(name for name in bundle.groups if name != "routes")
            forged = replace(bundle, groups={**bundle.groups, name: b"{}"})
            with pytest.raises(ConfigRefused) as refusal:
                await running.supervisor.apply(forged)
            assert not refusal.value.again
            assert str(refusal.value).startswith(
                f"No worker serves the config {bundle.revision[:12]}. Worker 0 could not take the config: "
            )
            assert (await running.shown())["revision"] == before.revision
            os.kill(running.worker_ids[0], signal.SIGKILL)
            os.kill(running.worker_ids[1], signal.SIGKILL)
            for _ in range(4):
                assert (await fetch(listener.address)).endswith(b"ok")
            assert (await running.supervisor.apply(bundle)).problems == ()
            assert (await fetch(listener.address)).startswith(b"HTTP/1.1 401 ")

    run(scenario())


def test_worker_that_refuses_a_config_which_another_serves_does_not_go_on_with_revoked_keys() -> None:
    """It went on with the config before until the next one came."""

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            await running.apply(config(provider.port))
            bundle = encode(guarded(provider.port))
            # What it is taken to have it is not sent, so it cannot build the config.
            running.supervisor._workers[1]._held = dict(bundle.hashes)
            assert (await running.supervisor.apply(bundle)).problems == ()
            assert (await running.shown())["workers"] == [bundle.revision] * 2

    run(scenario())


def test_ports_of_a_refused_config_are_left_and_those_in_force_kept() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, workers=1, ports=((PORT, 0), (PORT + 1, 0)))
        async with providing(answering(OK)) as provider, supervising(settings) as running:
            base = config(provider.port)
            applied = await running.apply(base)
            other = encode(replace(base, listeners=(replace(base.listeners[0], name="other", port=PORT + 1),)))
            forged = replace(
                other, groups={**other.groups, "keys-000": b"{}"}, hashes={**other.hashes, "keys-000": hash_of(b"{}")}
            )
            with pytest.raises(ConfigRefused):
                await running.supervisor.apply(forged)
            assert [PORT] == list(running.supervisor._ports.bound)
            assert (await fetch(applied.listeners[0].address)).endswith(b"ok")

    run(scenario())


def test_config_outlives_the_worker_that_dies_while_it_takes_it() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            await running.apply(config(provider.port))
            (worker,) = running.worker_ids
            os.kill(worker, signal.SIGSTOP)
            bundle = encode(guarded(provider.port))
            applying = asyncio.get_running_loop().create_task(running.supervisor.apply(bundle))
            await settle(lambda: running.supervisor._workers[0].offered == bundle.revision)
            os.kill(worker, signal.SIGKILL)
            applied = await applying
            assert applied.problems == ()
            assert (await fetch(applied.listeners[0].address)).startswith(b"HTTP/1.1 401 ")
            assert (await running.shown())["workers"] == [bundle.revision]

    run(scenario())


def test_worker_that_can_not_start_says_why_and_no_config_is_in_force() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, workers=1, pins=(("h:443", "no address"),))
        async with supervising(settings) as running:
            with pytest.raises(ConfigRefused, match=r"No worker serves the config \w+\. Worker 0 ended") as refusal:
                await running.apply(config(1))
            assert refusal.value.again
            why = r"Worker 0 ended with status 1 \(ValueError in _split, line \d+ of gateway\.py\)"
            assert re.match(rf"{why}; a new one takes its place\.", running.announced[0])
            ready = (await running.admin("/readyz")).decode()
            assert " 503 " in ready
            assert re.search(rf"no config yet {why}", ready)
            shown = await running.shown()
            assert shown["revision"] == ""
            assert shown["workers"] == [""]
            assert re.match(why, shown["worker_troubles"][0])

    run(scenario())


def test_proxy_whose_only_worker_has_ended_is_not_ready_until_another_serves() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            await running.apply(config(provider.port))
            os.kill(running.worker_ids[0], signal.SIGKILL)
            await settle(lambda: not running.supervisor._workers[0].is_alive)
            assert b" 503 " in await running.admin("/readyz")
            assert [""] == (await running.shown())["workers"]
            await settle(lambda: running.supervisor._workers[0].serves)
            assert b" 200 " in await running.admin("/readyz")
            await settle(lambda: not running.supervisor._troubles.told())

    run(scenario())


def test_a_worker_that_can_not_stop_is_ended() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, workers=1, timeouts=Timeouts(drain=0.1))
        running = Running(settings)
        await running.supervisor.start()
        (worker,) = running.worker_ids
        os.kill(worker, signal.SIGSTOP)
        await running.supervisor.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)

    run(scenario())


def test_a_worker_that_is_stuck_is_replaced() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, workers=1, timeouts=Timeouts(worker=2.0, drain=1.0))
        async with providing(answering(OK)) as provider, supervising(settings) as running:
            applied = await running.apply(config(provider.port))
            os.kill(running.worker_ids[0], signal.SIGSTOP)
            assert (await fetch(applied.listeners[0].address)).endswith(b"ok")
            assert running.announced[0].startswith("Worker 0 has said nothing for ")
            assert running.announced[-1] == "Worker 0 ended with status -9; a new one takes its place."

    run(scenario())


def test_a_failing_upstream_is_announced_once_for_all_workers() -> None:
    async def scenario() -> None:
        async with supervising() as running:
            applied = await running.apply(config(1))
            for _ in range(12):
                await fetch(applied.listeners[0].address)
            await settle(lambda: bool(running.announced))
            await asyncio.sleep(0.1)
            assert len(running.announced) == 1
            assert running.announced[0].startswith("Upstream provider: No connection to 127.0.0.1:1: ")

    run(scenario())
