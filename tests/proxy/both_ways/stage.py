"""One gateway on a scripted loop, and a conversation played on it; all that it lets out is written down.

At the end everybody leaves and time passes. Whatever then is still open, held or counted is a fault, and so are an
exception, a loop that spins, and a mark of one caller's request among the bytes of another.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from itertools import zip_longest

from tests.proxy.both_ways import events
from tests.proxy.both_ways.events import Conversation, Event
from tests.proxy.both_ways.marks import callers_in
from tests.proxy.both_ways.origins import Origins
from tests.proxy.both_ways.scripted_loop import ScriptedLoop, SpinningError
from tests.proxy.both_ways.wire import Wire
from tests.proxy.both_ways.worlds import PINS, assembled
from wardgate.proxy.access_log import AccessLog
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.downstream.connection import Downstream
from wardgate.proxy.io.gateway import Gateway
from wardgate.proxy.settings import Limits, ProxySettings

START = 1_800_000_000.0
_TIGHT = {
    "head_bytes": 700,
    "header_count": 12,
    "response_head_bytes": 600,
    "body_bytes": 1500,
    "buffered_bytes": 4000,
    "connections": 4,
    "pool_idle": 1,
    "upstream_connections": 2,
    "caller_share": 50,
    "user_guesses": 2,
    "address_guesses": 3,
}


@dataclass(slots=True)
class Step:
    """What came of one event: bytes by connection, and ends of connections in their order."""

    event: Event | None
    written: dict[str, bytes] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Transcript:
    """All that a gateway let out. ``fast``: requests that took the fast way. ``faults``: what no gateway may do.

    ``forwarded``: method, target and body of each request that an upstream got whole, in their order.
    """

    steps: list[Step] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)
    counts: dict[str, object] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    forwarded: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    requests: int = 0
    fast: int = 0
    held: set[int] = field(default_factory=set)
    """Numbers of events whose bytes waited for the rest of their request."""


def limited(conversation: Conversation, changes: Mapping[str, int]) -> Limits:
    """The limits of a conversation's gateway, with the changes that make a way of it."""
    return replace(Limits(), **({**_TIGHT, **changes} if conversation.tight else changes))


class Stage:
    """Made for one conversation; ``play`` it once."""

    def __init__(
        self, conversation: Conversation, changes: Mapping[str, int], *, held: frozenset[int] = frozenset()
    ) -> None:
        """``held``: numbers of events that arrive only with the following one of the caller, or with the next tick."""
        self._conversation = conversation
        self._held = held
        self._kept: dict[int, bytes] = {}
        self._number = -1
        self.transcript = Transcript()
        self._step = Step(None)
        self._goes_on = False
        self._now = START
        self._loop = ScriptedLoop(self._clock)  # type: ignore[abstract] # the product asks for no more
        self._origins = Origins(conversation.responses, loop=self._loop, wrote=self._wrote, closed=self._ended)
        self._loop.network = self._origins
        self._callers: dict[int, list[Wire]] = {}
        self._places: dict[int, events.Connect] = {}
        self.counters = Counters()
        self._lines: list[bytes] = []
        self._log = AccessLog(write=self._lines.append, limit=1 << 30)
        self.gateway = self._loop.finish(self._make(limited(conversation, changes)))

    def _clock(self) -> float:
        return self._now

    async def _make(self, limits: Limits) -> Gateway:
        return Gateway(
            ProxySettings(
                admin="",
                pins=PINS,
                installation="both-ways",
                limits=limits,
                max_config_age=self._conversation.max_age,
            ),
            counters=self.counters,
            log=self._log,
            report=self.transcript.reports.append,
            clock=self._clock,
            now=self._clock,
            lookup=_no_lookup,
        )

    # What the gateway lets out.

    def _wrote(self, name: str, data: bytes) -> None:
        written = self._step.written
        written[name] = written.get(name, b"") + data

    def _ended(self, name: str, how: str) -> None:
        self._step.ends.append(f"{name} {how}")

    # The conversation.

    def play(self) -> Transcript:
        """Play it, see everybody off and return what there was."""
        try:
            self.perform()
            self._see_off()
        except SpinningError as error:
            self.transcript.faults.append(f"The loop spins: {error}")
        self._account()
        return self.transcript

    def perform(self) -> None:
        """Play it up to its last event; whoever is connected then stays so."""
        random.seed(self._conversation.seed)
        self._perform(events.Apply(self._conversation.world))
        given = self._conversation.events
        for self._number, (event, following) in enumerate(zip_longest(given, given[1:])):
            self._perform(event, goes_on=_goes_on(event, following))

    def _perform(self, event: Event, *, goes_on: bool = False) -> None:
        """Act, and let come of it what will; where it ``goes_on``, the next event is of the same step.

        The fast way may hold a request until its body is there, for a tick at most. So each step ends with a tick.
        """
        if not self._goes_on:
            self._step = Step(event)
            self.transcript.steps.append(self._step)
        self._goes_on = goes_on
        self._loop.call_soon(self._act, event)
        self._loop.rest()
        if isinstance(event, events.Send | events.Unblock) and not goes_on:
            for caller in tuple(self._kept):
                self._loop.call_soon(self._feed, caller, b"")
            self._loop.call_soon(self.gateway.tick)
            self._loop.rest()

    @singledispatchmethod
    def _act(self, event: Event) -> None:
        raise AssertionError(event)

    @_act.register
    def _connect(self, event: events.Connect) -> None:
        self._places[event.caller] = event
        protocol = Downstream(self.gateway.context, event.port)
        wires = self._callers.setdefault(event.caller, [])
        name = f"c{event.caller}.{len(wires)}"
        wire = Wire(
            protocol,
            loop=self._loop,
            peer=(event.address, 40000 + event.caller),
            sent=lambda data: self._wrote(name, data),
            closed=lambda how: self._ended(name, how),
        )
        wires.append(wire)
        protocol.connection_made(wire)

    def _caller(self, number: int) -> Wire | None:
        wires = self._callers.get(number)
        return wires[-1] if wires else None

    @_act.register
    def _send(self, event: events.Send) -> None:
        wire = self._caller(event.caller)
        if event.begins and (wire is None or wire.gone or wire.half_closed):
            self._connect(self._places.get(event.caller) or events.Connect(event.caller))
            wire = self._caller(event.caller)
        if wire is None:
            return
        if self._number in self._held:
            self._kept[event.caller] = self._kept.get(event.caller, b"") + event.data
            return
        self._feed(event.caller, event.data)
        if wire.holds_request:
            self.transcript.held.add(self._number)

    def _feed(self, caller: int, data: bytes) -> None:
        data = self._kept.pop(caller, b"") + data
        wire = self._caller(caller)
        if wire is not None and data:
            wire.feed(data)

    @_act.register
    def _half_close(self, event: events.HalfClose) -> None:
        if (wire := self._caller(event.caller)) is not None:
            wire.feed_eof()

    @_act.register
    def _lose(self, event: events.Lose) -> None:
        if (wire := self._caller(event.caller)) is not None:
            wire.lose()

    @_act.register
    def _block(self, event: events.Block) -> None:
        if (wire := self._caller(event.caller)) is not None:
            wire.block()

    @_act.register
    def _unblock(self, event: events.Unblock) -> None:
        if (wire := self._caller(event.caller)) is not None:
            wire.unblock()

    @_act.register
    def _deliver(self, event: events.Deliver) -> None:
        for link in self._origins.links:
            link.deliver()

    def _upstream(self, connection: int) -> Wire | None:
        links = self._origins.links
        return links[connection].wire if connection < len(links) else None

    @_act.register
    def _block_upstream(self, event: events.BlockUpstream) -> None:
        if (wire := self._upstream(event.connection)) is not None:
            wire.block()

    @_act.register
    def _unblock_upstream(self, event: events.UnblockUpstream) -> None:
        if (wire := self._upstream(event.connection)) is not None:
            wire.unblock()

    @_act.register
    def _lose_upstream(self, event: events.LoseUpstream) -> None:
        if (wire := self._upstream(event.connection)) is not None:
            wire.lose()

    @_act.register
    def _pass(self, event: events.Pass) -> None:
        self._now += event.seconds
        self.gateway.tick()

    @_act.register
    def _apply(self, event: events.Apply) -> None:
        new = assembled(event.world, start=START)
        self._loop.create_task(self.gateway.apply(new))
        self.gateway.renew(age=0.0)

    @_act.register
    def _renew(self, _: events.Renew) -> None:
        self.gateway.renew(age=0.0)

    @_act.register
    def _announce_end(self, _: events.AnnounceEnd) -> None:
        self.gateway.announce_end()

    @_act.register
    def _drain(self, _: events.Drain) -> None:
        self._loop.create_task(self.gateway.drain())

    @_act.register
    def _cut(self, _: events.Cut) -> None:
        self.gateway.cut()

    # The end.

    def _see_off(self) -> None:
        for caller in self._callers:
            self._perform(events.Unblock(caller))
        for number in range(len(self._origins.links)):
            self._perform(events.UnblockUpstream(number))
        for _ in range(3):
            self._perform(events.Deliver())
        for wire in [wire for wires in self._callers.values() for wire in wires]:
            self._loop.call_soon(wire.unblock)
            self._loop.call_soon(wire.feed_eof)
        self._loop.rest()
        for _ in range(3):
            self._perform(events.Pass(400.0))

    def _account(self) -> None:
        transcript, context = self.transcript, self.gateway.context
        transcript.faults += self._loop.errors
        transcript.forwarded = self._origins.received
        if context.callers.open or context.bodies.total or self.counters.in_flight or self.counters.connections:
            transcript.faults.append(
                f"Left at the end: {len(context.callers.open)} connections, {context.bodies.total} bytes of bodies, "
                f"{self.counters.in_flight} in flight, {self.counters.connections} counted"
            )
        transcript.faults += [f"{link.name} is still open" for link in self._origins.links if _is_open(link.wire)]
        for link in self._origins.links:
            transcript.faults += link.reader.faults
            transcript.faults += [
                f"{link.name} got one request with bytes of several callers: {head!r}"
                for head, body in link.requests
                # A caller that lies about a length makes one request of two of its own.
                if len(callers_in(head + body)) > 1
            ]
        self._look_for_strays()
        transcript.fast = self.counters.prepared
        transcript.counts = self.counters.take()
        transcript.counts.pop("prepared", None)
        transcript.lines = self._written_lines()
        transcript.requests = len(transcript.lines)

    def _look_for_strays(self) -> None:
        for step in self.transcript.steps:
            for name, data in step.written.items():
                strays = callers_in(data) - {int(name[1:].partition(".")[0])} if name.startswith("c") else ()
                if strays:
                    self.transcript.faults.append(f"{name} got bytes of the callers {strays}: {data!r}")

    def _written_lines(self) -> list[dict[str, object]]:
        self._log.flush()
        self._log._outlet._write_all()  # here and now, for a thread would cost more than the conversation
        return [json.loads(line) for line in b"".join(self._lines).splitlines()]


def _goes_on(event: Event, following: Event | None) -> bool:
    """Whether a caller says the rest of what it has begun to say, and nothing happens in between."""
    return (
        isinstance(event, events.Send)
        and isinstance(following, events.Send)
        and not following.begins
        and event.caller == following.caller
    )


def _is_open(wire: Wire | None) -> bool:
    return wire is not None and not wire.gone


async def _no_lookup(host: str, _: int) -> tuple[str, ...]:
    raise AssertionError(host)
