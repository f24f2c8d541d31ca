"""One stretch of leading: what is done in it, what ends it, and what is left afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest

from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.term import Part, Term
from wardgate.tasks import spawn

LATE = Deposed("Another one wrote.")


class Work:
    """A part that goes on until it is ended, and takes a moment to end."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def go_on(self) -> NoReturn:
        self.told.append("begun")
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            await asyncio.sleep(0)
            self.told.append("ended")


async def serve(term: Term, **parts: Part) -> asyncio.Task[None]:
    """Begin the work of a term."""
    task = spawn(term.run(parts), name="term")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


def in_a_loop(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(main())


def test_term_writes_under_the_name_of_its_replica_and_its_own() -> None:
    first, second = Term("operator-a", began=1_764_000_000.0), Term("operator-a", began=1_764_000_000.001)
    assert ("operator-a", "operator-a since 2025-11-24T16:00:00.000Z") == (first.identity, first.writer)
    assert first.writer != second.writer


def test_term_leads_from_its_work_on_until_it_ends() -> None:
    async def scenario() -> None:
        term = Term("operator-a", began=0.0)
        assert (False, False) == (term.is_leading, term.is_over)
        task = await serve(term)
        assert (True, False) == (term.is_leading, term.is_over)
        term.end()
        assert (False, True) == (term.is_leading, term.is_over)
        await task

    in_a_loop(scenario)


def test_end_cancels_all_parts_and_waits_for_them() -> None:
    async def scenario() -> None:
        term, work, other = Term("operator-a", began=0.0), Work(), Work()
        task = await serve(term, work=work.go_on, other=other.go_on)
        term.end(LATE)
        await task
        assert (["begun", "ended"], ["begun", "ended"]) == (work.told, other.told)

    in_a_loop(scenario)


def test_lost_lease_cancels_all_parts_and_waits_for_them() -> None:
    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()
        task = await serve(term, work=work.go_on)
        task.cancel()
        await asyncio.wait({task})
        assert (True, True, ["begun", "ended"]) == (task.cancelled(), term.is_over, work.told)

    in_a_loop(scenario)


def test_term_is_over_before_its_parts_are_gone() -> None:
    """Until then they could still ask it whether to write."""
    seen: list[bool] = []

    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()

        async def ask_at_the_end() -> NoReturn:
            try:
                await asyncio.Event().wait()
                raise AssertionError
            finally:
                await asyncio.sleep(0)
                seen.append(term.is_over)
                with pytest.raises(Deposed, match="does not lead"):
                    await term.write(work.go_on())

        task = await serve(term, asking=ask_at_the_end)
        task.cancel()
        await asyncio.wait({task})
        assert ([True], [], True) == (seen, work.told, task.cancelled())

    in_a_loop(scenario)


def test_write_that_meets_the_failure_of_a_part_is_deposed_and_no_bug() -> None:
    """Whatever the step of the loop in which it begins."""

    async def fail() -> NoReturn:
        for _ in range(5):
            await asyncio.sleep(0)
        raise LATE

    async def scenario() -> None:
        term = Term("operator-a", began=0.0)
        task = spawn(term.run({"failing": fail, "work": Work().go_on}), name="term")
        await asyncio.sleep(0)
        writes = []
        while not task.done():
            writes.append(spawn(term.write(number()), name="write"))
            await asyncio.sleep(0)
        await asyncio.wait({task})
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert {7, Deposed} == {one if isinstance(one, int) else type(one) for one in outcomes}
        assert task.exception() is LATE

    in_a_loop(scenario)


@pytest.mark.parametrize("failure", [LATE, KeyError("bug")])
def test_part_that_fails_ends_the_others_and_is_told(failure: Exception) -> None:
    async def fail() -> NoReturn:
        await asyncio.sleep(0)
        raise failure

    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()
        task = await serve(term, work=work.go_on, failing=fail)
        with pytest.raises(type(failure)) as raised:
            await task
        assert (failure, True, ["begun", "ended"]) == (raised.value, term.is_over, work.told)

    in_a_loop(scenario)


def test_part_that_fails_while_the_lease_is_lost_does_not_undo_the_loss() -> None:
    """Whoever awaits the term would otherwise try again, and lead without a Lease."""

    async def fail_at_the_end() -> NoReturn:
        try:
            await asyncio.sleep(3600)
        finally:
            raise LATE

    async def scenario() -> None:
        term = Term("operator-a", began=0.0)
        task = await serve(term, failing=fail_at_the_end)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    in_a_loop(scenario)


def test_first_cause_of_the_end_counts() -> None:
    term = Term("operator-a", began=0.0)
    term.check()
    term.end(LATE)
    term.end(Deposed("Another cause."))
    assert term.cause is LATE
    with pytest.raises(Deposed, match="does not lead"):
        term.check()


async def number() -> int:
    await asyncio.sleep(0)
    return 7


def test_write_gives_its_result() -> None:
    async def scenario() -> None:
        term = Term("operator-a", began=0.0)
        task = await serve(term)
        assert await term.write(number()) == 7
        term.end()
        await task

    in_a_loop(scenario)


def test_write_that_fails_ends_no_term() -> None:
    async def fail() -> NoReturn:
        await asyncio.sleep(0)
        msg = "away"
        raise ConnectionFailed(msg)

    async def scenario() -> None:
        term = Term("operator-a", began=0.0)
        task = await serve(term)
        with pytest.raises(ConnectionFailed, match="away"):
            await term.write(fail())
        assert term.is_leading
        term.end()
        await task

    in_a_loop(scenario)


def test_write_is_broken_off_with_its_term_and_its_writer_lives_on() -> None:
    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()
        task = await serve(term)
        writing = spawn(term.write(work.go_on()), name="writing")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(Deposed, match="does not lead"):
            await writing
        assert ["begun", "ended"] == work.told

    in_a_loop(scenario)


def test_writer_that_is_cancelled_takes_its_write_along() -> None:
    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()
        task = await serve(term)
        writing = spawn(term.write(work.go_on()), name="writing")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
        assert (True, True, ["begun", "ended"]) == (writing.cancelled(), term.is_leading, work.told)
        term.end()
        await task

    in_a_loop(scenario)


@pytest.mark.parametrize("was_over", [True, False])
def test_nothing_is_written_outside_a_term(*, was_over: bool) -> None:
    async def scenario() -> None:
        term, work = Term("operator-a", began=0.0), Work()
        if was_over:
            task = await serve(term)
            term.end()
            await task
        with pytest.raises(Deposed, match="does not lead"):
            await term.write(work.go_on())
        assert [] == work.told

    in_a_loop(scenario)
