"""Destinations of a route, and the choice of one for a request, by weight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from wardgate.ir import Upstream


class CompiledUpstream:
    """A destination. ``spec`` is what the I/O dials; equal specs keep their ``CompiledUpstream`` over a new table."""

    __slots__ = ("bound_hosts", "name", "send_forwarded", "send_user_id", "spec")

    def __init__(self, spec: Upstream) -> None:
        self.spec = spec
        self.name = spec.name
        self.bound_hosts = frozenset(spec.bound_hosts) if spec.bound_hosts else None
        self.send_user_id = spec.send_user_id
        self.send_forwarded = spec.send_forwarded


class Destinations:
    """The upstreams of a route, by weight. ``bound_hosts`` None: no token that is bound to hosts may go there."""

    __slots__ = ("_bounds", "_total", "_upstreams", "bound_hosts")

    def __init__(self, weighted: list[tuple[CompiledUpstream, int]]) -> None:
        taking = [(upstream, weight) for upstream, weight in weighted if weight > 0]
        self._upstreams = tuple(upstream for upstream, _ in taking)
        self._bounds = tuple(accumulate(weight for _, weight in taking))
        self._total = self._bounds[-1] if taking else 0
        hosts = [upstream.bound_hosts for upstream, _ in weighted]
        known = [host for host in hosts if host is not None]
        self.bound_hosts = frozenset[str]().union(*known) if known and len(known) == len(hosts) else None

    @property
    def only(self) -> CompiledUpstream | None:
        """The one that takes all traffic; None: there is none, or a choice."""
        return self._upstreams[0] if len(self._upstreams) == 1 else None

    @property
    def total(self) -> int:
        """Of all weights: numbers are drawn below it."""
        return self._total

    @property
    def lead_nowhere(self) -> bool:
        """Whether no upstream takes traffic."""
        return not self._upstreams

    def choose(self, pick: Callable[[int], int]) -> CompiledUpstream | None:
        """Choose by weight; ``pick(n)`` is a number from 0 below ``n``. None: no upstream takes traffic."""
        if len(self._upstreams) == 1:
            return self._upstreams[0]
        return self._upstreams[self.place_of(self.draw(pick))] if self._upstreams else None

    def draw(self, pick: Callable[[int], int]) -> int:
        """Draw a number, which chooses one of several upstreams."""
        return pick(self._total)

    def place_of(self, drawn: int) -> int:
        """Return the place of the upstream that a number chooses: equal for all numbers that choose the same."""
        return bisect_right(self._bounds, drawn)
