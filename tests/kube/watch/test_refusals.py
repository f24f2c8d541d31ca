"""What a new leader makes of lists that fail: only a refusal that goes on is an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.watch.listing import MEANT, Refusal, list_all_again

FORBIDDEN = refused(403, "Forbidden")


@dataclass
class FakeListed:
    """``answer`` is raised instead of a list."""

    refusal: Refusal
    answer: Exception | None = None
    listed_at: float | None = 900.0
    lists: int = field(default=0)

    async def list_again(self) -> None:
        self.lists += 1
        if self.answer is not None:
            raise self.answer


def pair(time: VirtualTime, answer: Exception) -> tuple[FakeListed, FakeListed]:
    """One that is listed, and one that is not."""
    return FakeListed(Refusal(time.timing)), FakeListed(Refusal(time.timing), answer)


def test_refusal_that_is_new_may_be_that_of_a_server_that_has_just_started() -> None:
    time = VirtualTime()
    them = pair(time, FORBIDDEN)
    for _ in range(2):
        with pytest.raises(ApiError, match="403"):
            asyncio.run(list_all_again(them))
    assert [2, 2] == [one.lists for one in them]


def test_refusal_that_went_on_holds_up_nothing() -> None:
    time = VirtualTime()
    them = pair(time, FORBIDDEN)
    with pytest.raises(ApiError, match="403"):
        asyncio.run(list_all_again(them))
    time.pass_time(MEANT)
    asyncio.run(list_all_again(them))
    assert them[1].refusal.is_meant


def test_refusal_of_what_was_never_listed_holds_up_nothing() -> None:
    them = pair(VirtualTime(), FORBIDDEN)
    them[1].listed_at = None
    asyncio.run(list_all_again(them))
    assert [1, 1] == [one.lists for one in them]


def test_server_that_does_not_answer_is_never_an_answer() -> None:
    time = VirtualTime()
    them = pair(time, FORBIDDEN)
    them[1].refusal.note(FORBIDDEN)
    time.pass_time(MEANT)
    them[1].answer = ConnectionFailed("no route")
    with pytest.raises(ConnectionFailed):
        asyncio.run(list_all_again(them))


def test_refusal_that_ended_begins_anew() -> None:
    time = VirtualTime()
    refusal = Refusal(time.timing)
    refusal.note(FORBIDDEN)
    time.pass_time(MEANT)
    refusal.is_over()
    refusal.note(FORBIDDEN)
    assert not refusal.is_meant
