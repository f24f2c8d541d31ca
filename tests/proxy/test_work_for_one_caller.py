"""A body or a template that is as much work as can be: what it costs a real worker, and who is served meanwhile.

Costs are the worker's own time on a processor and its own memory, as the kernel accounts for them, so that a busy
machine changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.proxy.io.bench import OK, answering, config, open_route, providing, routed, run
from tests.proxy.test_supervisor import SETTINGS, fetch, supervising
from wardgate.ir import GatewayConfig, HeaderTemplate, MessageTemplate, PathMatch, RouteMatch, TransformationPlan
from wardgate.tasks import spawn

pytestmark = pytest.mark.slow

_MIB = 1024 * 1024
_ATTACKS = 5
_SECONDS = 0.1
"""Of a processor, for one request: 50 milliseconds of work in one go, and what it takes to receive 10 MB."""
_MEMORY = 96 * _MIB
"""Two bodies of 10 MiB, as received and in one piece, and eight times the longest text that is parsed."""
_GET = b"GET /innocent HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
_PARSED = MessageTemplate(headers=(HeaderTemplate("x-a", "x"),), parse_body="ParseAsJson")
_EXISTS = "{% for i in range(1000) %}{{ exists(t) }}{% endfor %}"
_COSTLY = MessageTemplate(headers=tuple(HeaderTemplate(f"x-{number}", _EXISTS) for number in range(128)))
_TEXT = json.dumps({"t": "a." * 500_000}).encode()


def _served(port: int, template: MessageTemplate) -> GatewayConfig:
    """An open route with a plan that comes before authentication, and another without."""
    plan = TransformationPlan("t", "pre", template)
    attacked = open_route(transformations=("t",), matches=(RouteMatch(paths=(PathMatch("prefix", "/attack"),)),))
    innocent = open_route(name="innocent")
    return config(port, listeners=routed(attacked, innocent), transformations=(plan,))


def _post(body: bytes) -> bytes:
    return b"POST /attack HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


async def _attack(address: str, body: bytes) -> bytes:
    """Send it and return the answer's first line; nothing where the gateway closed before it had read all."""
    try:
        return (await fetch(address, _post(body))).partition(b"\r\n")[0]
    except ConnectionError:
        return b""


def _processor_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _peak_memory(pid: int) -> int:
    (line,) = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(
    ("template", "body", "status"),
    [
        (_PARSED, b"[" * 10_000_000, 413),
        (_PARSED, b"[" * (4 * _MIB), 400),
        (_PARSED, b"[" + b"{}," * 1_000_000 + b"1]", 400),
        (_PARSED, b"[" + b"2.2250738585072011e-308," * 49_000 + b"1]", 200),
        (_PARSED, b"[" + b"{}," * 24_900 + b"1]", 200),
        (_PARSED, b'"' + b"a" * 3_700_000 + "\U0001f600".encode() + b'"', 200),
        (_COSTLY, _TEXT, 400),
        (replace(_COSTLY, parse_body="DontParse"), b"x" * 10_000_000, 400),
    ],
)
def test_one_request_costs_little_and_others_are_served_meanwhile(
    template: MessageTemplate, body: bytes, status: int
) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            applied = await running.apply(_served(provider.port, template))
            address, (worker,) = applied.listeners[0].address, running.worker_ids
            assert (await fetch(address, _GET)).endswith(b"ok")
            seconds, memory = _processor_seconds(worker), _peak_memory(worker)
            for _ in range(_ATTACKS):
                attack = spawn(_attack(address, body), name="attack")
                assert (await fetch(address, _GET)).endswith(b"ok")
                answer = await attack
                assert answer.startswith(b"HTTP/1.1 %d " % status) or (status == 413 and not answer)
            assert _processor_seconds(worker) - seconds < _ATTACKS * _SECONDS
            assert _peak_memory(worker) - memory < _MEMORY
            assert running.worker_ids == (worker,)

    run(scenario())
