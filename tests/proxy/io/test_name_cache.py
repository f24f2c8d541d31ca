"""A name's lookups: who asks, when, and which addresses serve while no server answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.proxy.io.bench import Clock, run, settle
from wardgate.proxy.io.upstream import name_cache
from wardgate.proxy.io.upstream.errors import Unresolvable
from wardgate.proxy.io.upstream.name_cache import FAILED, FRESH, MAX_NAMES, NameCache
from wardgate.tasks import spawn

HOST = "api.example.com"


class Names:
    """Answers in turn, the last one for ever: addresses, an error, or None for a silence until ``release``."""

    def __init__(self, *answers: tuple[str, ...] | Exception | None) -> None:
        self._answers: Iterator[tuple[str, ...] | Exception | None] = iter(answers)
        self._last: tuple[str, ...] | Exception | None = ()
        self.asked = 0
        self.release = asyncio.Event()

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        answer = self._last = next(self._answers, self._last)
        if answer is None:
            await self.release.wait()
            return ("192.0.2.99",)
        if isinstance(answer, Exception):
            raise answer
        return answer


def cached(
    names: Names, *, stale: float = 600.0, report: Callable[[str], None] = lambda _: None
) -> tuple[NameCache, Clock]:
    clock = Clock()
    return NameCache(lookup=names, clock=clock, stale=stale, report=report), clock


async def known_then_old(cache: NameCache, clock: Clock) -> None:
    assert await cache.addresses(HOST, 443) == ("192.0.2.1",)
    clock.pass_time(FRESH)


def test_a_name_that_many_wait_for_has_one_lookup_in_flight() -> None:
    async def scenario() -> None:
        names = Names(None)
        cache, _ = cached(names)
        waiting = [spawn(cache.addresses(HOST, 443), name=f"waiter {number}") for number in range(12)]
        await settle(lambda: names.asked > 0)
        names.release.set()
        assert await asyncio.gather(*waiting) == [("192.0.2.99",)] * 12
        assert names.asked == 1

    run(scenario())


def test_a_waiter_that_gives_up_leaves_the_lookup_to_the_others() -> None:
    async def scenario() -> None:
        names = Names(None)
        cache, _ = cached(names)
        leaving = spawn(cache.addresses(HOST, 443), name="leaves")
        staying = spawn(cache.addresses(HOST, 443), name="stays")
        await settle(lambda: names.asked > 0)
        leaving.cancel()
        names.release.set()
        assert await staying == ("192.0.2.99",)
        assert leaving.cancelled()

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((), "The name api.example.com has no address."),
        (OSError("timeout"), "No name server gave an answer for api.example.com."),
        (UnicodeError("label too long"), "The name api.example.com does not resolve: it is no host's name."),
    ],
)
def test_a_failure_is_one_for_two_seconds_and_then_asked_anew(
    answer: tuple[str, ...] | Exception, message: str
) -> None:
    async def scenario() -> None:
        names = Names(answer, ("192.0.2.1",))
        cache, clock = cached(names)
        for _ in range(3):
            with pytest.raises(Unresolvable) as failed:
                await cache.addresses(HOST, 443)
            assert failed.value.detail == message
        assert names.asked == 1
        clock.pass_time(FAILED)
        assert await cache.addresses(HOST, 443) == ("192.0.2.1",)

    run(scenario())


def test_old_addresses_serve_while_no_server_answers_and_no_longer_than_the_limit() -> None:
    async def scenario() -> None:
        names = Names(("192.0.2.1",), OSError("timeout"))
        said: list[str] = []
        cache, clock = cached(names, report=said.append)
        await known_then_old(cache, clock)
        assert await cache.addresses(HOST, 443) == ("192.0.2.1",)
        assert said == [f"No name server gave an answer for {HOST}. Its last good addresses serve for 600 s at most."]
        clock.pass_time(599.0)
        assert await cache.addresses(HOST, 443) == ("192.0.2.1",)
        clock.pass_time(1.0)
        with pytest.raises(Unresolvable, match="No name server gave an answer"):
            await cache.addresses(HOST, 443)

    run(scenario())


def test_a_connect_waits_a_moment_for_a_silent_server_and_the_next_ones_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(name_cache, "PATIENCE", 0.02)

    async def scenario() -> None:
        names = Names(("192.0.2.1",), None, None)
        cache, clock = cached(names)
        await known_then_old(cache, clock)
        assert await cache.addresses(HOST, 443) == ("192.0.2.1",)
        clock.pass_time(1.0)
        async with asyncio.timeout(1.0):
            assert await cache.addresses(HOST, 443) == ("192.0.2.1",)
        assert names.asked == 2
        names.release.set()
        await settle(lambda: cache._names[HOST].lookup is None)
        assert await cache.addresses(HOST, 443) == ("192.0.2.99",)

    run(scenario())


def test_a_name_that_is_gone_is_gone_at_once() -> None:
    async def scenario() -> None:
        cache, clock = cached(Names(("192.0.2.1",), (), OSError("timeout")))
        await known_then_old(cache, clock)
        for _ in range(2):
            with pytest.raises(Unresolvable):
                await cache.addresses(HOST, 443)
            clock.pass_time(FAILED)

    run(scenario())


def test_no_stale_address_is_served_where_the_installation_wants_none() -> None:
    async def scenario() -> None:
        cache, clock = cached(Names(("192.0.2.1",), OSError("timeout")), stale=0.0)
        await known_then_old(cache, clock)
        with pytest.raises(Unresolvable):
            await cache.addresses(HOST, 443)

    run(scenario())


def test_many_names_do_not_fill_the_memory() -> None:
    async def scenario() -> None:
        cache, _ = cached(Names(("192.0.2.1",)))
        for number in range(MAX_NAMES + 10):
            await cache.addresses(f"h{number}.example.com", 443)
        assert len(cache._names) == MAX_NAMES

    run(scenario())


def test_names_that_are_all_being_asked_for_leave_no_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_cache, "MAX_NAMES", 2)

    async def scenario() -> None:
        names = Names(None)
        cache, _ = cached(names)
        waiting = [spawn(cache.addresses(f"h{number}.example.com", 443), name="waits") for number in range(2)]
        await settle(lambda: names.asked == 2)
        with pytest.raises(Unresolvable, match="Too many names"):
            await cache.addresses(HOST, 443)
        names.release.set()
        await asyncio.gather(*waiting)

    run(scenario())
