"""How configs arrive, as the supervisor shows it, and what their age does to real workers."""

from __future__ import annotations

import json
import math
import os
import signal
from dataclasses import replace

import pytest

from tests.proxy.io.bench import CREDENTIAL, OK, answering, config, guarded, providing, run, settle
from tests.proxy.test_supervisor import SETTINGS, fetch, supervising
from wardgate.wire.decode import Decoded, RoutesDecoder
from wardgate.wire.delivery import Delivery
from wardgate.wire.encode import Encoder, encode

pytestmark = pytest.mark.slow

BOUNDED = replace(SETTINGS, workers=1, max_config_age=60.0)


ARRIVING = Delivery(
    sequence=7,
    refused_sequence=6,
    age=1.23456,
    connected=True,
    verified_at="2027-01-15T08:00:00Z",
    problem="It went back.",
    refused={},
)


def test_delivery_is_shown_beside_the_revision() -> None:
    async def scenario() -> None:
        async with supervising() as running:
            running.supervisor.follow(lambda: ARRIVING)
            shown = json.loads((await running.admin("/revision")).split(b"\r\n\r\n")[1])
            assert shown == {
                "revision": "",
                "schema": "",
                "reads": [1],
                "unserved": {},
                "worker_troubles": [],
                "workers": ["", ""],
                "sequence": 7,
                "refused_sequence": 6,
                "age_seconds": 1.235,
                "connected": True,
                "verified_at": "2027-01-15T08:00:00Z",
                "problem": "It went back.",
            }
            running.supervisor.follow(lambda: replace(ARRIVING, age=math.inf))
            shown = json.loads((await running.admin("/revision")).split(b"\r\n\r\n")[1])
            assert shown["age_seconds"] is None
            assert b"wardgate_config_sequence 7.0" in await running.admin("/metrics")

    run(scenario())


def test_config_too_old_is_refused_by_workers_and_their_successors_until_it_is_renewed() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(BOUNDED) as running:
            supervisor, age = running.supervisor, math.inf
            supervisor.follow(lambda: replace(ARRIVING, age=age))
            applied = await running.apply(config(provider.port))
            address = applied.listeners[0].address

            async def status() -> bytes:
                return (await fetch(address))[9:12]

            assert b"503" == await status()
            assert b"config too old" in await running.admin("/readyz")

            age = 59.0
            supervisor.tell_age()
            assert b"200" == await status()
            assert b"ready" in await running.admin("/readyz")

            age = 61.0
            supervisor.tell_age()
            assert b"503" == await status()

            (worker,) = running.worker_ids
            os.kill(worker, signal.SIGKILL)
            await settle(lambda: running.worker_ids != (worker,))
            assert b"503" == await status()
            (worker,) = running.worker_ids

            age = 1.0
            os.kill(worker, signal.SIGKILL)
            await settle(lambda: running.worker_ids != (worker,))
            assert b"200" == await status()

    run(scenario())


def test_readiness_knows_no_age_without_a_bound() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            running.supervisor.follow(lambda: replace(ARRIVING, age=1e9))
            await running.apply(config(provider.port))
            assert b" 200 " in await running.admin("/readyz")

    run(scenario())


def test_routes_that_did_not_change_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    def counting(self: RoutesDecoder, data: bytes, *, unknown_groups: tuple[str, ...]) -> Decoded:
        reads.append(1)
        return original(self, data, unknown_groups=unknown_groups)

    original = RoutesDecoder.decode
    monkeypatch.setattr(RoutesDecoder, "decode", counting)

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            encoder = Encoder()
            await running.supervisor.apply(encoder.encode(guarded(provider.port)))
            applied = await running.supervisor.apply(encoder.encode(guarded(provider.port, credentials=(CREDENTIAL,))))
            assert (1, ()) == (len(reads), applied.problems)
            request = b"GET / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nConnection: close\r\n\r\n"
            assert (await fetch(applied.listeners[0].address, request)).startswith(b"HTTP/1.1 200 ")
            await running.supervisor.apply(encode(config(provider.port)))
            assert 2 == len(reads)

    run(scenario())
