"""Destinations of a route, and the choice of one for a request, by weight."""

from __future__ import annotations

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

    def choose(self, pick: Callable[[int], int]) -> CompiledUpstream | None:
        """Choose by weight; ``pick(n)`` is a number from 0 below ``n``. None: no upstream takes traffic."""
        if len(self._upstreams) == 1:
            return self._upstreams[0]
        if not self._upstreams:
            return None
        point = pick(self._total)
        return next(up for up, bound in zip(self._upstreams, self._bounds, strict=True) if point < bound)
