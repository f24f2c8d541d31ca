"""Plays made-up conversations both ways until one differs or there were enough: ``python -m tests.proxy.both_ways``.

Each has a seed of its own, counted up from ``--seed``; the report of a difference names it and is a conversation cut
down to what it takes. Not part of the tests, which play a few thousand requests of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from random import Random
from typing import Final

import uvloop

from tests.proxy.both_ways.conversations import conversation
from tests.proxy.both_ways.events import Conversation
from tests.proxy.both_ways.live import live
from tests.proxy.both_ways.oracle import FAST, GENERAL, compare, way
from tests.proxy.both_ways.shrinking import shrunk

_SIZES: Final = (None, None, 16, 1)
"""Lines that the fast way remembers, in turn: by default, and so few that they are forgotten all the time."""
_MOST_REPORTS: Final = 20


def way_of(seed: int) -> Mapping[str, int]:
    """Return the fast way that a seed is played with."""
    return way(_SIZES[seed % len(_SIZES)])


def report(seed: int) -> str:
    """Tell what differs in the conversation of a seed, as briefly as possible."""

    def differences(one: Conversation) -> tuple[str, ...]:
        return compare(one, fast=way_of(seed)).differences

    whole = conversation(Random(seed))
    kinds = {_kind(each) for each in differences(whole)}
    least = shrunk(whole, lambda one: kinds <= {_kind(each) for each in differences(one)})
    responses = {mark: response for mark, response in least.responses.items() if _sends(least, mark)}
    told = [f"Seed {seed}; again: python -m tests.proxy.both_ways --cases 1 --seed {seed}"]
    told += [f"  {event!r}" for event in least.events]
    told += [f"  {mark!r}: {response!r}" for mark, response in responses.items()]
    return "\n".join((*told, *differences(least)))


def _kind(difference: str) -> str:
    """What sort of a difference it is: the shortest conversation that shows another one explains nothing."""
    return difference.partition(" ")[0]


def _sends(one: Conversation, mark: bytes) -> bool:
    return mark in b"".join(getattr(event, "data", b"") for event in one.events)


async def rounds(seed: int, count: int) -> int:
    """Let many callers talk through sockets, a round each way; return 1 if either did what no gateway may do."""
    requests = fast = 0
    for number in range(seed, seed + count):
        for limits in (GENERAL, FAST):
            done = await live(number, turns=30, limits=limits)
            requests, fast = requests + done.requests, fast + done.fast
            if done.faults:
                print(f"seed {number}", *done.faults, sep="\n", flush=True)
                return 1
        if number % 10 == 0:
            print(f"{number - seed + 1} rounds, {requests} requests, {fast} of them the fast way", flush=True)
    print(f"{count} rounds, {requests} requests, {fast} of them the fast way", flush=True)
    return 0


def main() -> int:
    """Return 1 if something differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.proxy.both_ways", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="conversations; each has about 12 requests")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10**6 * 1000)
    parser.add_argument("--live", type=int, default=0, help="rounds of many callers through sockets instead")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    if asked.live:
        return uvloop.run(rounds(asked.seed, asked.live))
    began = told = time.monotonic()
    requests = fast = differing = 0
    for done, seed in enumerate(range(asked.seed, asked.seed + asked.cases), 1):
        compared = compare(conversation(Random(seed)), fast=way_of(seed))
        requests += compared.general.requests
        fast += compared.fast.fast
        if compared.differences:
            differing += 1
            print(report(seed), flush=True)
        if time.monotonic() - told > 10 or done == asked.cases:
            told = time.monotonic()
            print(
                f"{done} conversations, {requests} requests each way, {fast} of them the fast way, "
                f"{differing} differ, {told - began:.0f} s",
                flush=True,
            )
        if differing >= _MOST_REPORTS:
            break
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
