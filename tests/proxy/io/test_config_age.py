"""A config that nobody has confirmed for too long serves nobody."""

from __future__ import annotations

import json

from tests.proxy.io.bench import OK, answering, config, providing, reading_body, run, serving, settle
from wardgate.proxy.settings import ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
BOUNDED = ProxySettings(admin="", max_config_age=60.0)
TOO_OLD = b'{"error":"The gateway\'s configuration is too old to be trusted."}'


def test_request_is_refused_above_the_age_and_served_again_once_it_is_renewed() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(BOUNDED) as bench:
            await bench.apply(config(provider.port))
            bench.gateway.renew(age=20.0)
            caller = await bench.connect()
            for passed, status in ((40.0, 200), (0.001, 503), (3600.0, 503)):
                bench.pass_time(passed)
                caller = await bench.connect()
                await caller.send(GET)
                found, _, body = await caller.response()
                assert found == status
                assert body == (b"ok" if status == 200 else TOO_OLD)
            bench.gateway.renew(age=0.0)
            await caller.send(GET)
            assert (await caller.response())[0] == 200

    run(scenario())


def test_config_that_was_never_confirmed_is_too_old() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(BOUNDED) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            status, _, body = await caller.response()
            assert (status, body) == (503, TOO_OLD)
            assert provider.received == []

    run(scenario())


def test_refusal_is_logged_with_its_reason_and_request() -> None:
    async def scenario() -> None:
        async with serving(BOUNDED) as bench:
            await bench.apply(config(1))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.response()
            bench.log.flush()
            await settle(lambda: bool(bench.lines))
            line = json.loads(bench.lines[-1].splitlines()[-1])
            assert (line["reason"], line["status"], line["method"], line["path"]) == ("config_too_old", 503, "GET", "/")

    run(scenario())


def test_without_a_greatest_age_a_config_is_served_however_old_it_is() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            bench.gateway.renew(age=1e9)
            caller = await bench.connect()
            await caller.send(GET)
            assert (await caller.response())[0] == 200

    run(scenario())


def test_request_whose_body_arrives_when_the_config_has_become_too_old_is_refused() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(BOUNDED) as bench:
            await bench.apply(reading_body(provider.port))
            bench.gateway.renew(age=0.0)
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
            await settle(lambda: bench.counters.in_flight == 1)
            bench.pass_time(30.0)
            bench.gateway.renew(age=59.0)
            bench.pass_time(2.0)
            await caller.send(b"cd")
            status, _, body = await caller.response()
            assert (status, body) == (503, TOO_OLD)
            assert provider.received == []
            assert bench.buffered == 0

    run(scenario())


def test_response_that_has_begun_is_finished() -> None:
    async def scenario() -> None:
        async with providing(answering(OK.replace(b"length: 2", b"length: 4"))) as provider, serving(BOUNDED) as bench:
            await bench.apply(config(provider.port))
            bench.gateway.renew(age=0.0)
            caller = await bench.connect()
            await caller.send(GET)
            assert (await caller.head()).startswith(b"HTTP/1.1 200 ")
            bench.pass_time(61.0)
            assert await caller.reader.readexactly(2) == b"ok"

    run(scenario())
