"""Conversations by grammar: a few requests sent again and again with little changed, and all that happens meanwhile."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from tests.proxy.both_ways.answers import answer
from tests.proxy.both_ways.drafts import Draft, changed, cut, mutated, plain, simple
from tests.proxy.both_ways.events import (
    AnnounceEnd,
    Apply,
    Block,
    BlockUpstream,
    Connect,
    Conversation,
    Cut,
    Deliver,
    Drain,
    Event,
    HalfClose,
    Lose,
    LoseUpstream,
    Pass,
    Renew,
    Response,
    Send,
    Unblock,
    UnblockUpstream,
)
from tests.proxy.both_ways.keys import NAMES
from tests.proxy.both_ways.marks import mark
from tests.proxy.both_ways.worlds import BEHIND, CLEAR, MAIN, OTHER, PATHS, SIMPLE, World

_NAMES: Final = {"eXact": "exact", "re/abc": "regex", "regex/x": "regex"}
"""Routes by a path on them, where that is not their name."""
_PORTS: Final = (*(MAIN,) * 10, BEHIND, BEHIND, OTHER, OTHER, CLEAR)
_ADDRESSES: Final = ("198.51.100.1", "198.51.100.2", "2001:db8::1")
_SECONDS: Final = (0.0, 0.5, 1.0, 5.0, 16.0, 49.0, 51.0, 61.0, 76.0, 99.0, 301.0)
_REQUESTS: Final = (1, 1, 1, 1, 2, 3)
"""Sent in one piece."""
_CHANGES: Final = (0, 0, 0, 0, 0, 1, 1, 2)
"""Of a request that was sent before."""
_FEW_CHANGES: Final = (0, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def conversation(choices: Random, *, longest: int = 60) -> Conversation:
    """Make up a conversation of at most so many steps; a step is a request, or something that happens beside it."""
    return _Author(choices).write(choices.randrange(1, longest + 1))


class _Author:
    """A calm conversation is one as programs have it: plain requests in one piece, again and again, and few accidents.

    Whatever a gateway remembers it remembers there; a wild conversation shows that the rest is none of its business.
    """

    def __init__(self, choices: Random) -> None:
        self._choices = choices
        # A few routes: to build all of them would take longer than all requests together.
        self._paths = [choices.choice(PATHS) for _ in range(6)]
        names = {_NAMES.get(path, path) for path in self._paths}
        self._world = World(only=tuple(sorted({*SIMPLE, *names})) if choices.random() < 0.9 else ())
        self._events: list[Event] = []
        self._responses: dict[bytes, Response] = {}
        self._requests = 0
        callers = choices.choice((1, 1, 2, 3))
        self._calm = choices.random() < 0.6
        self._ends_lines = choices.random() < 0.05
        """Old clients send an empty line behind a body."""
        self._ports = {
            caller: choices.choice((MAIN, MAIN, BEHIND)) if self._calm else choices.choice(_PORTS)
            for caller in range(1, callers + 1)
        }
        self._drafts = [self._new_draft() for _ in range(3)]

    def write(self, steps: int) -> Conversation:
        choices, first = self._choices, self._world
        for caller, port in self._ports.items():
            self._events.append(Connect(caller, port, choices.choice(_ADDRESSES)))
        for _ in range(steps):
            if choices.random() < (0.85 if self._calm else 0.7):
                self._request()
            else:
                self._happen()
        if choices.random() < 0.15:
            self._end()
        return Conversation(
            tuple(self._events),
            first,
            self._responses,
            seed=choices.randrange(1 << 30),
            tight=choices.random() < 0.3,
            max_age=choices.choice((0.0, 0.0, 60.0)),
        )

    def _end(self) -> None:
        """The worker is told to end while requests come, ends, and perhaps cuts off the rest."""
        for event in (AnnounceEnd(), Drain(), Cut()):
            self._events.append(event)
            for _ in range(self._choices.randrange(4)):
                self._request()
                self._happen()
            if self._choices.random() < 0.2:
                return

    def _new_draft(self) -> Draft:
        return (
            simple(self._choices)
            if self._choices.random() < (0.9 if self._calm else 0.3)
            else plain(self._choices, self._paths)
        )

    def _caller(self) -> int:
        return self._choices.randrange(len(self._ports)) + 1

    def _request(self) -> None:
        """Send a request or a few, cut into pieces; now and then something happens between two of them."""
        choices, caller = self._choices, self._caller()
        count = 1 if self._calm and choices.random() < 0.95 else choices.choice(_REQUESTS)
        data = b"".join(self._written(self._draft(), caller) for _ in range(count))
        if choices.random() < (0.01 if self._calm else 0.04):
            data = mutated(data, choices)
        for number, piece in enumerate(self._pieces(data)):
            if number and choices.random() < 0.1:
                self._happen()
            self._events.append(Send(caller, piece, begins=number == 0))
        if self._ends_lines:
            self._events.append(Send(caller, b"\r\n", begins=False))

    def _pieces(self, data: bytes) -> list[bytes]:
        """Cut a request: not at all, behind its head, as clients do that write that first, or anywhere."""
        choices, end = self._choices, data.find(b"\r\n\r\n") + 4
        if self._calm and choices.random() < 0.6:
            return [data]
        if self._calm and choices.random() < 0.8 and 4 <= end < len(data):
            return [data[:end], data[end:]]
        return cut(data, choices)

    def _draft(self) -> Draft:
        choices, which = self._choices, self._choices.randrange(len(self._drafts))
        draft = self._drafts[which]
        for _ in range(choices.choice(_FEW_CHANGES if self._calm else _CHANGES)):
            draft = changed(draft, choices)
        if choices.random() < 0.2:
            self._drafts[which] = draft
        return draft

    def _written(self, draft: Draft, caller: int) -> bytes:
        choices = self._choices
        self._requests += 1
        one = mark(caller, self._requests)
        if choices.random() < 0.5:
            self._responses[one] = answer(choices, one, plain=self._calm and choices.random() < 0.8)
        return draft.written(one)

    def _happen(self) -> None:
        choices, caller = self._choices, self._caller()
        what = choices.randrange(20)
        if what < 5:
            self._events.append(Deliver())
        elif what < 8:
            self._events.append(Pass(choices.choice(_SECONDS)))
            if choices.random() < 0.5:
                self._events.append(Renew())
        elif what < 12:
            self._world = other_world(self._world, choices)
            self._events.append(Apply(self._world))
        else:
            connection = choices.randrange(3)
            self._events.append(
                (
                    Block(caller),
                    Unblock(caller),
                    BlockUpstream(connection),
                    UnblockUpstream(connection),
                    LoseUpstream(connection),
                    Lose(caller),
                    HalfClose(caller),
                    Connect(caller, choices.choice(_PORTS), choices.choice(_ADDRESSES)),
                )[what - 12]
            )


def other_world(world: World, choices: Random) -> World:
    """Change one thing of a config, or put back what was changed."""
    changes: tuple[World, ...] = (
        replace(world, keys=world.keys ^ {choices.choice(("good", choices.choice(sorted(NAMES))))}),
        replace(world, closed=world.closed ^ {choices.choice(("plain", "open", choices.choice(PATHS)))}),
        replace(world, token=choices.choice(("hf_provider_token", "hf_new_token"))),
        replace(world, rewrite=choices.choice(("/v1", "/v2/x", "/"))),
        replace(world, expiring=choices.choice((100, 10, 500))),
        replace(world, matched=not world.matched),
        replace(world, stripped=not world.stripped),
        replace(world, without_other=not world.without_other),
        replace(world, confined=not world.confined),
    )
    return choices.choice(changes)
