"""The order of several owners' routes that stand side by side: the path stays with the owner who took it first.

Neither weight nor a more specific pattern takes a path from another owner; both order the routes of one owner only. The
routes are put on levels: a route that overlaps a senior route of another owner stands one level behind it. On one level
the routes keep their order. So the routes of one owner change their order only where another owner's route stands
between them.

Precedence: the more narrowly given path, then the platform, then the older table. Routes with several matchers are
taken apart, because one of these may overlap and another not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from wardgate.problems import Reason
from wardgate.translate.findings import Findings
from wardgate.translate.matching.path_literals import PathLiteral, literal_of
from wardgate.translate.plans.table_plans import RoutePlan
from wardgate.translate.routes.delegation_context import Age, Claim
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.specificity import put_together, taken_apart

Precedence: TypeAlias = tuple[int, bool, Age]
"""Sort key: the senior first."""
_Taken: TypeAlias = dict[str, dict[str, tuple[int, int]]]
"""By literal and owner: the highest level, and the number of the route on it."""


def precedence(claim: Claim) -> Precedence:
    """The rank of a claim."""
    return (-claim.given, bool(claim.owner), claim.age)


def below_one_route(claim: Claim, literal: PathLiteral) -> Precedence:
    """The rank of a route below one delegating route: the platform has given itself the path that its route names."""
    return precedence(claim if claim.owner else replace(claim, given=len(literal.text)))


def by_precedence(
    instances: Sequence[RouteInstance],
    *,
    findings: Findings,
    rank_of: Callable[[Claim, PathLiteral], Precedence] = lambda claim, _: precedence(claim),
    is_fallback: Callable[[RouteInstance], bool] = lambda _: False,
) -> list[RouteInstance]:
    """The routes of every owner behind the senior ones of others that they overlap.

    ``is_fallback``: routes that take the remaining requests, and go last.
    """
    if len({instance.claim.owner for instance in instances}) < 2:
        return list(instances)
    pieces = [piece for instance in instances for piece in taken_apart(instance)]
    literals = [literal_of(piece.matches[0]) if piece.matches else PathLiteral("", exact=False) for piece in pieces]
    ladder = _Ladder(literals, [piece.claim.owner for piece in pieces])
    last = len(pieces)
    # Fallbacks are put on no level: this one is behind all others.
    levels = [last] * last
    ranks = [rank_of(piece.claim, literal) for piece, literal in zip(pieces, literals, strict=True)]
    for number in sorted(range(last), key=lambda one: (ranks[one], one)):
        if is_fallback(pieces[number]):
            continue
        levels[number], senior = ladder.put(number)
        if senior is not None and (senior > number or ladder.covers(senior, number)):
            _report(pieces[number], findings)
    return put_together([pieces[number] for number in sorted(range(last), key=lambda one: (levels[one], one))])


def exposed(found: Sequence[tuple[RoutePlan, Sequence[RouteInstance]]]) -> list[RoutePlan]:
    """The routes of one table whose paths a tenant may take, because an earlier route delegates a shorter prefix to it.

    In its own table the platform's order decides, whatever was meant by it.
    """
    given: dict[str, set[str]] = {}
    late: list[RoutePlan] = []
    for route, instances in found:
        owners = {instance.claim.owner for instance in instances}
        literals = [literal_of(one.match) for one in route.matchers] or [PathLiteral("", exact=False)]
        shorter = {text[:end] for text, _ in literals if len(text) > 1 for end in range(len(text))}
        before = {owner for text in shorter for owner in given.get(text, ())}
        if instances and before - owners:
            late.append(route)
        for text, exact in literals:
            if not exact:
                given.setdefault(text, set()).update(owners - {""})
    return late


class _Ladder:
    """Routes on their levels, added in order of precedence."""

    def __init__(self, literals: Sequence[PathLiteral], owners: Sequence[str]) -> None:
        self._literals = literals
        self._owners = owners
        self._texts = {literal.text for literal in literals}
        self._open: _Taken = {}
        """Routes that take every path that begins with the literal."""
        self._exact: _Taken = {}
        self._below: _Taken = {}
        """Routes with a longer literal."""

    def put(self, number: int) -> tuple[int, int | None]:
        """The level of one more route, and the senior route in front of it, if it overlaps any."""
        literal, owner = self._literals[number], self._owners[number]
        above = [literal.text[:end] for end in range(len(literal.text) + 1) if literal.text[:end] in self._texts]
        met = [self._open.get(text, {}) for text in above]
        met.append(self._exact.get(literal.text, {}))
        if not literal.exact:
            met.append(self._below.get(literal.text, {}))
        level, senior = max(
            (found for owners in met for other, found in owners.items() if other != owner), default=(-1, None)
        )
        place = (level + 1, number)
        for taken, texts in (
            (self._exact if literal.exact else self._open, (literal.text,)),
            (self._below, above[:-1]),
        ):
            for text in texts:
                owners = taken.setdefault(text, {})
                owners[owner] = max(owners.get(owner, place), place)
        return level + 1, senior

    def covers(self, senior: int, number: int) -> bool:
        """Whether the senior route's path takes every path that the other's takes."""
        literal = self._literals[senior]
        return not literal.exact and self._literals[number].text.startswith(literal.text)


def _report(piece: RouteInstance, findings: Findings) -> None:
    findings.warning(
        piece.table,
        Reason.UNREACHABLE,
        message=(
            f'Route "{piece.name}" of {piece.table} comes after a route of another owner, which was there first and '
            "takes requests of the same paths, whatever weights and patterns are. Change its matchers."
        ),
        field=("spec", "http", piece.index),
    )
