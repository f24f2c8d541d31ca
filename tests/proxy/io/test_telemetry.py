"""Lines and counts of real exchanges: the same on the fast path as on the general one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from types import FrameType

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    KEY,
    OK,
    TOKEN,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    guarded,
    open_route,
    providing,
    reading_body,
    routed,
    run,
    serving,
    settle,
)
from wardgate.ir import DirectResponse, MessageTemplate, TransformationPlan
from wardgate.proxy.settings import Limits, ProxySettings

BOTH_WAYS = pytest.mark.parametrize("fast", [False, True], ids=["general", "fast"])
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@dataclass
class Watched:
    """A gateway, and a caller whose next request takes the way that is asked for."""

    bench: Bench
    caller: Caller
    fast: bool
    key: str = KEY

    async def sent(self, *fields: str, start: str = "GET /v1/models") -> None:
        """Send a request with a key and these fields, and await its response."""
        before = self.bench.counters.prepared
        head = "\r\n".join((f"{start} HTTP/1.1", "Host: gw", f"api-key: {self.key}", *fields))
        await self.caller.send(head.encode() + b"\r\n\r\n")
        await self.caller.response()
        assert self.fast == (self.bench.counters.prepared > before)

    async def line(self, *fields: str, start: str = "GET /v1/models") -> dict[str, object]:
        """Send a request with a key and these fields; return its line of the log."""
        lines = len(self.bench.lines)
        await self.sent(*fields, start=start)
        self.bench.log.flush()
        await settle(lambda: len(self.bench.lines) > lines)
        (line,) = self.bench.lines[-1].splitlines()
        told: dict[str, object] = json.loads(line)
        return told


def way(*, fast: bool, sample: float = 1.0) -> ProxySettings:
    limits = Limits() if fast else Limits(remembered_lines=0)
    return ProxySettings(admin="", limits=limits, access_log_sample=sample)


@asynccontextmanager
async def watching(*, fast: bool, response: bytes = OK) -> AsyncIterator[Watched]:
    async with providing(answering(response)) as provider, serving(way(fast=fast)) as bench:
        await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
        watched = Watched(bench, await bench.connect(), fast=False)
        await watched.line()  # the first one opens the connection to the upstream
        watched.fast = fast
        yield watched


@BOTH_WAYS
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), ""),
        ((f"Traceparent: {TRACEPARENT}",), TRACE),
        (("traceparent: nonsense",), ""),
        ((f"traceparent: {TRACEPARENT}", f"traceparent: {TRACEPARENT}"), ""),
    ],
)
def test_the_trace_of_a_request_is_told(fields: tuple[str, ...], expected: str, *, fast: bool) -> None:
    async def scenario() -> None:
        async with watching(fast=fast) as watched:
            assert expected == (await watched.line(*fields))["trace_id"]

    run(scenario())


@BOTH_WAYS
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", ""),
        ("X-Request-Id: req_1", "req_1"),
        ("request-id: req_011CSHoEeqs5", "req_011CSHoEeqs5"),
        ("apim-request-id: 7-7", "7-7"),
        ("x-amzn-RequestId: c0ffee", "c0ffee"),
        ("cf-ray: 1\r\nrequest-id: first\r\nx-request-id: second", "first"),
        ("x-amzn-requestid: first\r\nrequest-id: second", "first"),
        ("request-id: first\r\nx-amzn-requestid: second", "first"),
        ("my-request-id: none\r\nx-request-id: one", "one"),
        ("my-request-id: none", ""),
        (f"x-request-id: for-{TOKEN}", "<redacted>"),
    ],
)
def test_the_providers_id_of_a_request_is_told(fields: str, expected: str, *, fast: bool) -> None:
    async def scenario() -> None:
        response = OK.replace(b"content-type", fields.encode() + b"\r\ncontent-type") if fields else OK
        async with watching(fast=fast, response=response) as watched:
            assert expected == (await watched.line())["provider_request_id"]

    run(scenario())


@BOTH_WAYS
@pytest.mark.parametrize("path", ["/%6dysecretkey", "/x/%6D%79secretkey/y"])
def test_a_path_that_spells_the_key_in_escapes_does_not_show_it(path: str, *, fast: bool) -> None:
    async def scenario() -> None:
        async with watching(fast=fast) as watched:
            line = await watched.line(start=f"GET {path}")
            assert "<redacted>" in str(line["path"])
            assert KEY not in json.dumps(line)

    run(scenario())


@BOTH_WAYS
def test_a_path_whose_escapes_hide_the_key_is_not_shown(*, fast: bool) -> None:
    async def scenario() -> None:
        held = replace(CREDENTIAL, digest=sha256(b"base+64/key==").hexdigest())
        async with providing(answering(OK)) as provider, serving(way(fast=fast)) as bench:
            await bench.apply(guarded(provider.port, credentials=(held,)))
            watched = Watched(bench, await bench.connect(), fast=False, key="base+64/key==")
            await watched.line()
            watched.fast = fast
            line = await watched.line(start="GET /x/base%2B64%2Fkey%3D%3D")
            assert "<redacted>" == line["path"]

    run(scenario())


@BOTH_WAYS
def test_a_line_is_the_same_whichever_way_a_request_took(*, fast: bool) -> None:
    async def scenario() -> None:
        async with watching(fast=fast) as watched:
            line = await watched.line("x-request-id: abc", start="GET /v1/models?stream=x")
            for name in ("time", "v"):
                line.pop(name)
            assert {
                "listener": "main",
                "route": "lab",
                "policy": "gloo-mesh-gateways/huggingface-apikey",
                "key": "default/api-huggingface-key",
                "upstream": "provider",
                "status": 200,
                "reason": "",
                "sample": 1,
                "caller": "127.0.0.1",
                "request_id": "abc",
                "trace_id": "",
                "provider_request_id": "",
                "method": "GET",
                "path": "/v1/models",
                "attempts": 1,
                "duration_ms": 0.0,
                "overhead_ms": 0.0,
                "upstream_ms": 0.0,
                "ttft_ms": 0.0,
                "received_bytes": 0,
                "sent_bytes": 2,
            } == line
            watched.bench.counters.take()
            await watched.line()
            taken = watched.bench.counters.take()
            assert [["main", "lab", "default/api-huggingface-key", "provider", 200, "", 1]] == taken["requests"]

    run(scenario())


def at_its_leisure(benches: list[Bench], *, head: float, body: float) -> Callable[[Provider], Script]:
    """Answer after ``head`` seconds of the gateway's clock, and end the body after ``body`` more."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                for bench in benches:
                    bench.clock.pass_time(head)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-type: text/plain\r\n\r\n12")
                await writer.drain()
                await asyncio.sleep(0.02)
                for bench in benches:
                    bench.clock.pass_time(body)
                writer.write(b"34")
                await writer.drain()

        return script

    return make


@BOTH_WAYS
def test_time_of_the_upstream_is_told_apart_from_ours(*, fast: bool) -> None:
    async def scenario() -> None:
        benches: list[Bench] = []
        async with (
            providing(at_its_leisure(benches, head=2.0, body=1.0)) as provider,
            serving(way(fast=fast)) as bench,
        ):
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            watched = Watched(bench, await bench.connect(), fast=False)
            await watched.line()
            watched.fast = fast
            benches.append(bench)
            line = await watched.line()
            told = [line[name] for name in ("duration_ms", "ttft_ms", "upstream_ms", "overhead_ms")]
            assert [3000.0, 2000.0, 3000.0, 0.0] == told

    run(scenario())


def test_first_byte_of_a_response_that_a_plan_reads_goes_when_it_is_whole() -> None:
    async def scenario() -> None:
        benches: list[Bench] = []
        plan = TransformationPlan("loud", "post", response=MessageTemplate(body_mode="template", body="{{ body() }}!"))
        async with providing(at_its_leisure(benches, head=2.0, body=1.0)) as provider, serving() as bench:
            listeners = routed(open_route(transformations=("loud",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            benches.append(bench)
            line = await Watched(bench, await bench.connect(), fast=False).line()
            assert [3000.0, 3000.0, 5] == [line[name] for name in ("ttft_ms", "upstream_ms", "sent_bytes")]

    run(scenario())


def test_work_on_a_response_that_is_whole_is_ours() -> None:
    async def overhead(bench: Bench) -> float:
        bench.clock.step = 1.0
        line = await Watched(bench, await bench.connect(), fast=False).line()
        return float(str(line["overhead_ms"]))

    async def scenario() -> None:
        plan = TransformationPlan("loud", "post", response=MessageTemplate(body_mode="template", body="{{ body() }}!"))
        async with providing(answering(OK)) as provider, serving() as plain, serving() as loud:
            await plain.apply(config(provider.port))
            listeners = routed(open_route(transformations=("loud",)))
            await loud.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            assert await overhead(plain) + 1000.0 < await overhead(loud)

    run(scenario())


def test_waiting_for_a_body_that_a_plan_reads_is_not_ours() -> None:
    async def scenario() -> None:
        benches: list[Bench] = []
        async with providing(at_its_leisure(benches, head=2.0, body=1.0)) as provider, serving() as bench:
            benches.append(bench)
            await bench.apply(reading_body(provider.port))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
            await settle(lambda: bench.buffered > 0)
            bench.clock.pass_time(7.0)
            bench.clock.step = 0.001
            await caller.send(b"b")
            await caller.response()
            bench.log.flush()
            await settle(lambda: bool(bench.lines))
            line = json.loads(bench.lines[0])
            told = [float(line[name]) for name in ("duration_ms", "upstream_ms", "overhead_ms")]
            assert [10_000.0, 3000.0, 0.0] == pytest.approx(told, abs=100)
            assert 0 < told[2]

    run(scenario())


def test_attempts_are_told() -> None:
    def dying(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(OK)
            await writer.drain()
            await provider.read_request(reader)  # and is gone

        return script

    async def scenario() -> None:
        async with providing(dying) as provider, serving(way(fast=False)) as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            watched = Watched(bench, await bench.connect(), fast=False)
            assert [1, 2] == [(await watched.line())["attempts"] for _ in range(2)]
            refused = await watched.line("api-key: another")
            assert 0 == refused["sent_bytes"]  # this answer has no body
            assert ("key_repeated", 0, None, None) == tuple(
                refused[name] for name in ("reason", "attempts", "upstream_ms", "ttft_ms")
            )

    run(scenario())


@BOTH_WAYS
def test_the_providers_id_of_one_response_is_not_told_of_the_next(*, fast: bool) -> None:
    def named_at_times(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for fields in (b"", b"request-id: one\r\n", b"", b"request-id: two\r\n"):
                await provider.read_request(reader)
                writer.write(OK.replace(b"content-type", fields + b"content-type"))
                await writer.drain()

        return script

    async def scenario() -> None:
        async with providing(named_at_times) as provider, serving(way(fast=fast)) as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            watched = Watched(bench, await bench.connect(), fast=False)
            await watched.line()
            watched.fast = fast
            assert ["one", "", "two"] == [(await watched.line())["provider_request_id"] for _ in range(3)]

    run(scenario())


@pytest.mark.parametrize(("method", "sent"), [("GET", 2), ("HEAD", 0)])
def test_bytes_of_an_answer_of_the_gateways_own_are_told(method: str, sent: int) -> None:
    async def scenario() -> None:
        async with serving() as bench:
            answer = open_route(action=DirectResponse(status=200, body="hi"))
            await bench.apply(config(1, listeners=routed(answer)))
            await bench.exchange(f"{method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            bench.log.flush()
            await settle(lambda: bool(bench.lines))
            line = json.loads(bench.lines[0])
            assert ("direct_response", sent, None) == tuple(line[name] for name in ("reason", "sent_bytes", "ttft_ms"))

    run(scenario())


def test_a_request_that_cannot_be_read_has_every_field_too() -> None:
    async def scenario() -> None:
        async with watching(fast=False) as watched:
            known = await watched.line()
            await watched.bench.exchange(b"nonsense\r\n\r\n")
            watched.bench.log.flush()
            await settle(lambda: b"bad_request_line" in watched.bench.lines[-1])
            line = json.loads(watched.bench.lines[-1])
            assert list(known) == list(line)
            assert ("main", 400, "", "", 0) == tuple(
                line[name] for name in ("listener", "status", "path", "route", "attempts")
            )
            assert len(b'{"error":"The request line is malformed."}') == line["sent_bytes"]
            counted = [row for row in rows(watched.bench) if row[5]]
            assert [["main", "", "", "", 400, "bad_request_line", 1]] == counted

    run(scenario())


def rows(bench: Bench) -> list[list[object]]:
    table = bench.counters.take()["requests"]
    assert isinstance(table, list)
    return table


@BOTH_WAYS
def test_of_requests_that_went_well_a_part_is_logged_and_of_others_all(*, fast: bool) -> None:
    async def scenario() -> None:
        settings = replace(way(fast=fast, sample=0.25), installation="of-the-test")
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            for number in range(200):
                key = KEY if number % 10 else "wrong"
                head = f"GET / HTTP/1.1\r\nHost: gw\r\napi-key: {key}\r\nx-request-id: r{number}\r\n\r\n"
                await caller.send(head.encode())
                await caller.response()
            assert fast == (bench.counters.prepared > 0)
            bench.log.close()
            lines = [json.loads(line) for line in b"".join(bench.lines).splitlines()]
            refused = [line for line in lines if line["status"] == 401]
            served = [line for line in lines if line["status"] == 200]
            assert (20, {1}) == (len(refused), {line["sample"] for line in refused})
            assert {0.25} == {line["sample"] for line in served}
            assert 30 <= len(served) <= 60
            assert 200 == sum(int(str(row[-1])) for row in rows(bench))

    run(scenario())


def test_lines_of_plain_requests_are_made_of_texts_that_their_outcome_keeps() -> None:
    async def scenario() -> None:
        async with watching(fast=True) as watched:
            await watched.line()
            remembered = len(watched.bench.log._lines._targets)
            for _ in range(3):
                await watched.sent()
            entries = watched.bench.log._entries
            assert 3 == len(entries)
            assert 1 == len({(id(origin), id(target)) for origin, target, *_ in entries})
            assert remembered == len(watched.bench.log._lines._targets)

    run(scenario())


def test_a_plain_request_is_counted_and_logged_in_four_calls() -> None:
    """Compiled, there is none: calls between compiled functions are no calls of Python."""
    calls: list[str] = []
    modules = ("/telemetry.py", "/counters.py", "/access_log.py", "/log_line.py", "/request_record.py", "/sampling.py")

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.endswith(modules):
            calls.append(frame.f_code.co_name)

    async def scenario() -> None:
        async with watching(fast=True) as watched:
            await watched.line()
            sys.setprofile(note)
            try:
                await watched.sent()
            finally:
                sys.setprofile(None)

    run(scenario())
    assert calls in ([], ["began", "ended_fast", "count", "put"])
