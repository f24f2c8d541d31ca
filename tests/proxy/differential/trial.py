"""The corpus through a gateway with sockets, with one backend behind it; what differs is told in lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from tests.proxy.both_ways.keys import GOOD
from tests.proxy.differential.backends import Backend
from tests.proxy.io.bench import CREDENTIAL, PLAN, Bench, Caller, config, open_route, routed, serving, settle
from tests.proxy.oddities.case import Case, Forwarded, ask
from tests.proxy.oddities.corpus import CASES, TAIL, expected, statuses_in
from wardgate.ir import GatewayConfig, PathMatch, RouteMatch
from wardgate.proxy.settings import Limits, ProxySettings

WARM: Final = ask(b"GET", b"/plain/warm")
WARMED: Final[Forwarded] = (b"GET", b"/plain/warm", b"")
REFUSED_BEHIND: Final[Mapping[str, Mapping[str, int]]] = {
    # Its parser knows the registered methods only.
    "aiohttp": {"method " + "A" * 32: 400},
    # It takes names of up to 255 letters.
    "haproxy": {"field: long name": 400},
    # It takes methods of 3 to 20 letters.
    "gunicorn": {"method " + "A" * 32: 400},
}
"""Requests that a backend refuses, which is its right, by case: the status that it answers with."""
TELL_NO_EMPTY_QUERY: Final = ("uvicorn",)
"""To ASGI a query that is empty is none."""
_SECONDS: Final = 15.0


@dataclass(slots=True)
class Trial:
    """Requests that reached the backend, those that took the fast way, and what is wrong."""

    requests: int = 0
    fast: int = 0
    wrong: list[str] = field(default_factory=list)


def served_config(port: int) -> GatewayConfig:
    """The guarded route of the corpus, to a backend on loopback."""
    route = open_route(name="plain", auth="plan", matches=(RouteMatch((PathMatch("prefix", "/plain"),)),))
    key = replace(CREDENTIAL, digest=sha256(GOOD).hexdigest())
    return config(port, listeners=routed(route), auth_plans=(PLAN,), credentials=(key,))


async def trial(backend: Backend, *, limits: Mapping[str, int], warm: int) -> Trial:
    """Send every case on a connection that has carried ``warm`` requests; ``limits``: changes that make a way."""
    done = Trial()
    before = len(backend.seen())
    async with serving(ProxySettings(admin="", limits=replace(Limits(), **limits))) as bench:
        await bench.apply(served_config(backend.port))
        for case in CASES:
            done.wrong += await _differences(bench, case, backend=backend, warm=warm)
        await asyncio.sleep(0.3)  # whatever was smuggled is read by then
        seen = backend.seen()[before:]
        done.wrong += await _against_log(bench, seen)
        done.requests, done.fast = len(seen), getattr(bench.counters, "prepared", 0)
    return done


async def _differences(bench: Bench, case: Case, *, backend: Backend, warm: int) -> list[str]:
    before = len(backend.seen())
    try:
        async with asyncio.timeout(_SECONDS):
            responses = await _talk(bench, case, warm=warm)
    except TimeoutError:
        return [f"{case.name}: hangs"]
    statuses, forwarded = _expected(case, backend)
    found, seen = statuses_in(responses), backend.seen()[before:]
    wrong = []
    if found != statuses:
        wrong.append(f"{case.name}: the caller got {found} and not {statuses}")
    if seen != [WARMED] * warm + list(forwarded):
        wrong.append(f"{case.name}: {backend.name} saw {seen[warm:]} and not {list(forwarded)}")
    return wrong


def _expected(case: Case, backend: Backend) -> tuple[tuple[int, ...], tuple[Forwarded, ...]]:
    statuses, forwarded = expected(case)
    if backend.name in TELL_NO_EMPTY_QUERY:
        forwarded = tuple((method, target.removesuffix(b"?"), body) for method, target, body in forwarded)
    refusal = REFUSED_BEHIND.get(backend.name, {}).get(case.name)
    return (statuses, forwarded) if refusal is None else ((refusal, *statuses[1:]), forwarded[1:])


async def _talk(bench: Bench, case: Case, *, warm: int) -> bytes:
    caller = await bench.connect()
    bench.callers.remove(caller)
    try:
        for _ in range(warm):
            await caller.send(WARM)
            await caller.response()
        return await _say(caller, case)
    finally:
        caller.close()


async def _say(caller: Caller, case: Case) -> bytes:
    with contextlib.suppress(ConnectionError):  # the gateway may have ended already, and that is seen below
        await caller.send(case.data if case.waits else case.data + TAIL)
        if case.waits:
            caller.writer.write_eof()
    return await caller.rest()


async def _against_log(bench: Bench, seen: list[Forwarded]) -> list[str]:
    """Compare what the backend saw with what the access log says was sent on and answered."""
    bench.log.flush()
    await settle(lambda: len(_forwarded(bench)) >= len(seen))
    told = _forwarded(bench)
    saw = [(method.decode(), _shown(target.partition(b"?")[0].decode()), len(body)) for method, target, body in seen]
    for number, (line, request) in enumerate(zip(told, saw, strict=False)):
        if line != request:
            return [f"line {number} of the log says {line}, the backend saw {request}"]
    return [] if len(told) == len(saw) else [f"the log tells of {len(told)} requests, the backend saw {len(saw)}"]


def _forwarded(bench: Bench) -> list[tuple[object, object, object]]:
    lines = [json.loads(line) for line in b"".join(bench.lines).splitlines()]
    return [
        (line["method"], _shown(line["path"]), line["received_bytes"])
        for line in lines
        if line.get("upstream") and line["status"] == 200
    ]


def _shown(path: str) -> str:
    """The beginning of a path: the log cuts long ones."""
    return path[:150]
