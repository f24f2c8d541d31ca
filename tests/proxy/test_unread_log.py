"""Real workers whose output nobody reads: every request is answered, and memory stays within its bound."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from tests.proxy.io.bench import OK, answering, config, providing
from tests.proxy.test_supervisor import SETTINGS, supervising
from wardgate.proxy.settings import Limits, ProxySettings

pytestmark = pytest.mark.slow

CONNECTIONS, REQUESTS, PATH = 4, 100, 60_000
HEAD = b"GET /" + b"a" * PATH + b" HTTP/1.1\r\nHost: h\r\n\r\n"
MOST_GROWTH = 12 * 1024 * 1024
"""Bytes; the paths sent are 24 MB."""
DEADLINE = 60.0
"""Seconds, with processes to start on a busy machine."""


@contextmanager
def unread_output() -> Iterator[int]:
    """Standard output is a pipe that nobody reads, for this process and for those it starts; its reading end."""
    reading, writing = os.pipe()
    saved = os.dup(1)
    os.dup2(writing, 1)
    os.close(writing)
    try:
        yield reading
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(reading)


def resident(pid: int) -> int:
    """Bytes of a process's memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def call(address: str) -> list[bytes]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answers = []
    for _ in range(REQUESTS):
        writer.write(HEAD)
        answers.append((await reader.readuntil(b"ok")).split(b"\r\n")[0])
    writer.close()
    return answers


async def read(output: int) -> bytes:
    """Read from the pipe once something is in it. A thread that waited for that could not be ended at a time-out."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(output, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(output)
    return os.read(output, 65536)


async def flood(settings: ProxySettings, output: int) -> None:
    async with providing(answering(OK)) as provider, supervising(settings) as running:
        (listener,) = (await running.apply(config(provider.port))).listeners
        await call(listener.address)
        before = resident(running.worker_ids[0])
        answers = await asyncio.gather(*(call(listener.address) for _ in range(CONNECTIONS)))
        assert {answer for some in answers for answer in some} == {b"HTTP/1.1 200 OK"}
        assert resident(running.worker_ids[0]) - before < MOST_GROWTH
        metrics = b"log_lines_dropped_total 0.0"
        while b"log_lines_dropped_total 0.0" in metrics:
            await asyncio.sleep(0.1)
            metrics = await running.admin("/metrics")
        # The reader is back: it finds whole lines, one of which tells of those that are missing.
        lines = b""
        while b'"lines_dropped":' not in lines or not lines.endswith(b"\n"):
            lines += await read(output)
    entries = [json.loads(line) for line in lines.splitlines()]
    assert {len(entry["path"]) for entry in entries if "path" in entry} == {1019}


def test_long_paths_in_a_log_that_nobody_reads_cost_lines_only() -> None:
    settings = replace(SETTINGS, workers=1, access_log=True, limits=Limits(log_bytes=64 * 1024, target_bytes=2 * PATH))
    with unread_output() as output:
        uvloop.run(asyncio.wait_for(flood(settings, output), DEADLINE))
