"""Makes a config fit its shards: what was changed last is left out until it does, and everything else is published.

A group that is too large must hold nothing back, least of all a revocation. So the objects that have a part in it are
taken newest change first, as many as it takes and no more: one, two, four and so on until it fits, and then half the
way back as long as fewer do. Every attempt is encoded and measured, because only that tells; with thousands of objects
that comes to a few dozen attempts, and in a round where everything fits to none.

Of a group of keys, the Secrets are left out. Of the routes, what makes them is closed (``closing``): first with the
matches as they are, and where that does not do, widened. Where all of them closed are still too large, gateways are
closed instead; without any there is nothing left that could be too large.

"Newest" goes by the version in the store, that is by the last change of what a user wrote; after a restart the last
change of a status counts as well. No I/O; who is told what was left out is up to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from wardgate.api import Approval
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.control import closing
from wardgate.ir import GatewayConfig
from wardgate.kube.publish.packing import OversizedGroup
from wardgate.printable import printable
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import ClusterSnapshot
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses
from wardgate.wire.bundle import ROUTES, Bundle
from wardgate.wire.decode import decode_credentials

Encode: TypeAlias = Callable[[GatewayConfig], Bundle]
Oversized: TypeAlias = Callable[[Bundle], tuple[OversizedGroup, ...]]
Close: TypeAlias = Callable[[GatewayConfig, frozenset[ObjectRef]], GatewayConfig]
_Found = TypeVar("_Found")

_OF_ROUTES: Final = "routes and policies of all gateways"
_REMEDY: Final = "Make it smaller, or remove routes and policies that are not needed."
_TEXTS: Final = {
    "Secret": (
        "left out, and its keys are refused",
        "key Secrets that are stored with it",
        "Make the other entries of these Secrets smaller.",
    ),
    "RouteTable": ("closed, and its routes answer 500", _OF_ROUTES, _REMEDY),
    "VirtualGateway": ("closed, and nothing listens on its ports", _OF_ROUTES, _REMEDY),
}
"""By kind: what becomes of the object, what is too large with it, and the remedy."""
_TEXT: Final = ("closed, and the routes that use it answer 500", _OF_ROUTES, _REMEDY)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that did not fit, and the group as it was with it."""

    ref: ObjectRef
    excess: OversizedGroup

    @property
    def problem(self) -> Problem:
        """What its owner is told."""
        becomes, together, remedy = _TEXTS.get(self.ref.kind, _TEXT)
        message = (
            f"{self.ref} is {becomes}: it is among the last changes, and with them the {together} come to "
            f"{self.excess.size} bytes of at most {self.excess.limit}. {remedy}"
        )
        return Problem(ProblemKind.ERROR, Reason.TOO_LARGE, message, self.ref)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A config that fits, encoded, and what it does not serve, sorted by object."""

    config: GatewayConfig
    bundle: Bundle
    left_out: tuple[LeftOut, ...] = ()

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The objects that were left out."""
        return tuple(one.ref for one in self.left_out)

    def judged(self, statuses: Statuses) -> Statuses:
        """The verdicts, with what was left out INVALID."""
        if not self.left_out:
            return statuses
        problems = {one.ref: one.problem for one in self.left_out}
        return Statuses(
            objects=tuple(_judged(status, problems.get(status.ref)) for status in statuses),
            problems=(*statuses.problems, *problems.values()),
        )


def fit(
    config: GatewayConfig, bundle: Bundle, snapshot: ClusterSnapshot, *, encode: Encode, oversized: Oversized
) -> Fitted:
    """Leave out of ``config`` what does not fit. ``bundle`` is the config, encoded; ``snapshot`` what it comes from."""
    excess = oversized(bundle)
    fitted = Fitted(config, bundle)
    return _Fitting(fitted, snapshot, encode, oversized).run(excess) if excess else fitted


class _Fitting:
    """One search. Routes come first: with their plans keys may go as well, but never the other way round."""

    def __init__(self, fitted: Fitted, snapshot: ClusterSnapshot, encode: Encode, oversized: Oversized) -> None:
        self._fitted = fitted
        self._versions = {one.ref: one.version for objects in snapshot.objects.values() for one in objects}
        self._encode = encode
        self._oversized = oversized

    def run(self, excess: tuple[OversizedGroup, ...]) -> Fitted:
        for group in excess:
            if group.group == ROUTES:
                self._fit_routes(group)
        # Each turn leaves at least one Secret out, so there is an end to it.
        while (keys := self._oversized_keys()) and self._fit_keys(keys[0]):
            pass
        return self._fitted

    def _oversized_keys(self) -> list[OversizedGroup]:
        return [one for one in self._oversized(self._fitted.bundle) if one.group != ROUTES]

    def _fit_keys(self, excess: OversizedGroup) -> bool:
        held = decode_credentials(self._fitted.bundle.groups[excess.group]).credentials
        return self._leave_out({closing.key_secret(one) for one in held}, excess, (closing.without_keys,))

    def _fit_routes(self, excess: OversizedGroup) -> None:
        config = self._fitted.config
        if not self._leave_out(closing.route_sources(config), excess, (_close, _widen)):
            self._leave_out(closing.gateways(config), excess, (closing.without_gateways,))

    def _leave_out(self, refs: Iterable[ObjectRef], excess: OversizedGroup, ways: tuple[Close, ...]) -> bool:
        """Leave out as many of these as it takes, each time in the first way that does; return whether any did."""
        newest = sorted(refs, key=lambda ref: (-self._versions.get(ref, 0), ref))

        def attempt(count: int) -> Fitted | None:
            chosen = frozenset(newest[:count])
            return next((found for close in ways if (found := self._attempt(close, chosen, excess))), None)

        found = _fewest(len(newest), attempt)
        if found is not None:
            self._fitted = found
        return found is not None

    def _attempt(self, close: Close, refs: frozenset[ObjectRef], excess: OversizedGroup) -> Fitted | None:
        config = close(self._fitted.config, refs)
        bundle = self._encode(config)
        if any(one.group == excess.group for one in self._oversized(bundle)):
            return None
        left_out = (*self._fitted.left_out, *(LeftOut(ref, excess) for ref in refs))
        return Fitted(config, bundle, tuple(sorted(left_out, key=lambda one: one.ref)))


def _fewest(most: int, attempt: Callable[[int], _Found | None]) -> _Found | None:
    """What ``attempt`` finds with a count that does, where one less does not; None where even ``most`` does not."""
    low, high, found = 0, 0, None
    while found is None:
        if high == most:
            return None
        low, high = high, min(max(1, 2 * high), most)
        found = attempt(high)
    while high - low > 1:
        middle = (low + high) // 2
        better = attempt(middle)
        if better is None:
            low = middle
        else:
            high, found = middle, better
    return found


def _close(config: GatewayConfig, refs: frozenset[ObjectRef]) -> GatewayConfig:
    return closing.with_closed_routes(config, refs, widen=False)


def _widen(config: GatewayConfig, refs: frozenset[ObjectRef]) -> GatewayConfig:
    return closing.with_closed_routes(config, refs, widen=True)


def _judged(status: ObjectStatus, problem: Problem | None) -> ObjectStatus:
    if problem is None:
        return status
    problems = (problem, *status.problems)
    return replace(
        status,
        approval=Approval.INVALID,
        reason=problem.reason.value,
        message=printable(" ".join(one.message for one in problems))[:MAX_MESSAGE],
        served_generation=None,
        problems=problems,
    )
