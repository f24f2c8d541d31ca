"""A worker's orders, without a process: what goes wrong with one config does not keep the next one out."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.proxy.io.bench import PORT, config, providing, run, settle, silent
from wardgate.proxy.assembly import Assembled, Assembly, Commit
from wardgate.proxy.channel import Channel
from wardgate.proxy.io.gateway import Gateway
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts, settings_to_json
from wardgate.proxy.worker import Worker
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import encode
from wardgate.wire.framing import Frame

DEFAULTS = Limits()


def commit(channel: Channel, bundle: Bundle) -> None:
    for name, data in bundle.groups.items():
        channel.send("group", {"name": name, "hash": bundle.hashes[name]}, payload=data)
    channel.send("commit", {"revision": bundle.revision, "groups": dict(bundle.hashes)})


@asynccontextmanager
async def working(*, limits: Limits = DEFAULTS, drain: float = 30) -> AsyncIterator[tuple[Channel, list[Frame]]]:
    """A worker that has its settings, and what it says."""
    heard: list[Frame] = []
    ours, theirs = socket.socketpair()
    channel = Channel(ours, on_frame=lambda frame, _: heard.append(frame), on_close=lambda: None)
    channel.start()
    worker = spawn(Worker(theirs).run(), name="worker")
    settings = ProxySettings(admin="", access_log=False, limits=limits, timeouts=Timeouts(drain=drain))
    channel.send("settings", payload=settings_to_json(settings))
    yield channel, heard
    channel.send("drain")
    await worker
    channel.close()


def test_error_nobody_foresaw_is_reported_and_the_next_config_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Assembly.build
    broken = True

    async def build(self: Assembly, commit: Commit) -> Assembled:
        if broken:
            raise ZeroDivisionError
        return await original(self, commit)

    monkeypatch.setattr(Assembly, "build", build)

    async def scenario() -> None:
        nonlocal broken
        async with working() as (channel, heard):
            bundle = encode(config(1))
            commit(channel, bundle)
            await settle(lambda: any(frame.kind == "failed" for frame in heard))
            (failed,) = (frame for frame in heard if frame.kind == "failed")
            assert failed.header["revision"] == bundle.revision
            assert "internal error (ZeroDivisionError)" in str(failed.header["error"])
            broken = False
            commit(channel, bundle)
            await settle(lambda: any(frame.kind == "applied" for frame in heard))
        assert all(json.loads(frame.payload) for frame in heard if frame.kind == "metrics")

    run(scenario())


def test_configs_are_built_and_put_into_service_apart_from_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[bool] = []
    build, apply = Assembly.build, Gateway.apply

    async def built(self: Assembly, commit: Commit) -> Assembled:
        said.append(gc.isenabled())
        return await build(self, commit)

    async def applied(self: Gateway, config: Assembled) -> tuple[str, ...]:
        said.append(gc.isenabled())
        return await apply(self, config)

    monkeypatch.setattr(Assembly, "build", built)
    monkeypatch.setattr(Gateway, "apply", applied)

    async def scenario() -> None:
        async with working() as (channel, heard):
            commit(channel, encode(config(1)))
            await settle(lambda: any(frame.kind == "applied" for frame in heard))

    run(scenario())
    assert [False, False] == said
    assert gc.isenabled()


def test_worker_tells_if_it_can_not_take_as_many_connections_as_it_should() -> None:
    async def scenario() -> None:
        async with working(limits=Limits(connections=10**9)) as (_, heard):
            await settle(lambda: any(frame.kind == "problem" for frame in heard))
            (problem,) = (frame for frame in heard if frame.kind == "problem")
            assert "instead of limits.connections=1000000000" in str(problem.header["text"])

    run(scenario())


def test_request_that_outlasts_the_draining_is_answered_and_counted() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider:
            async with working(drain=0) as (channel, heard):
                with socket.create_server(("127.0.0.1", 0)) as listening:
                    channel.send("listen", {"port": PORT}, descriptor=listening.fileno())
                    commit(channel, encode(config(provider.port)))
                    await settle(lambda: any(frame.kind == "applied" for frame in heard))
                    reader, writer = await asyncio.open_connection(*listening.getsockname())
                writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                await settle(lambda: bool(provider.received))
            assert (await reader.readline()) == b"HTTP/1.1 503 Service Unavailable\r\n"
            writer.close()
        reports = [json.loads(frame.payload) for frame in heard if frame.kind == "metrics"]
        counted = [entry for report in reports for entry in report["requests"]]
        assert [["main", "lab", "", "provider", 503, "shutting_down", 1]] == counted

    run(scenario())
