"""The keys of one set that take metadata from a source: those that it closes, and those that hold an entry of it too.

Ten thousand keys may name one source. A reader is told once for each source and namespace, with the first of its keys;
``count`` says how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wardgate.ir import Credential, TokenSource
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.keys.token_sources import FIELD, SourceFault, TokenSources, joined, overlap, source_ref


@dataclass(slots=True)
class _Told:
    """Keys with the same fate: the first of them by name, and their number."""

    first: ObjectRef
    count: int = 0

    def take(self, ref: ObjectRef) -> None:
        self.first = min(self.first, ref)
        self.count += 1

    @property
    def subject(self) -> str:
        more = self.count - 1
        return f"{self.first}{f' and {more} more of its namespace' if more else ''}"


@dataclass(frozen=True, slots=True)
class Takers:
    """``joined``: the set's credentials as the proxy has them. ``closed``: how many open nothing, by the reason.

    ``problems``: of the keys, sorted.
    """

    joined: tuple[Credential, ...]
    closed: dict[Reason, int]
    problems: tuple[Problem, ...]


def takers_of(credentials: Iterable[Credential], sources: TokenSources) -> Takers:
    """Put the keys of a set together with their sources."""
    found: dict[tuple[str, str], TokenSource | SourceFault] = {}
    told: dict[tuple[str, str, str], _Told] = {}
    whole: list[Credential] = []
    for key in credentials:
        if not key.metadata_from:
            whole.append(key)
            continue
        demand = (key.metadata_from, key.namespace)
        source = found[demand] if demand in found else found.setdefault(demand, sources.find(demand))
        ref = ObjectRef("Secret", key.namespace, key.name)
        if isinstance(source, SourceFault):
            told.setdefault((*demand, ""), _Told(ref)).take(ref)
            continue
        whole.append(joined(key, source))
        for entry in overlap(key, source):
            told.setdefault((*demand, entry), _Told(ref)).take(ref)
    closed: dict[Reason, int] = {}
    for (source_id, namespace, entry), keys in told.items():
        fault = found[source_id, namespace]
        if not entry and isinstance(fault, SourceFault):
            closed[fault.reason] = closed.get(fault.reason, 0) + keys.count
    return Takers(tuple(whole), closed, tuple(sorted(_problems(found, told), key=lambda one: (one.ref, one.message))))


def _problems(
    found: dict[tuple[str, str], TokenSource | SourceFault], told: dict[tuple[str, str, str], _Told]
) -> Iterator[Problem]:
    for (source_id, namespace, entry), keys in told.items():
        source = found[source_id, namespace]
        if isinstance(source, SourceFault):
            message = f"{keys.subject}: no request with the key is let through, because {source.complaint}"
            yield Problem(ProblemKind.WARNING, source.reason, message, keys.first, FIELD, source.cause)
        else:
            message = (
                f'{keys.subject}: the entry "{entry}" of its own counts, and not the one of {source_ref(source_id)}: '
                "a new token there does not reach it. Remove the entry from the key's Secret."
            )
            yield Problem(ProblemKind.WARNING, Reason.NO_EFFECT, message, keys.first, ("data", entry))
