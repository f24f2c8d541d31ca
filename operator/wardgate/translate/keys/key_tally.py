"""Counts, per entry, of the keys of a set that carry it.

Hundreds of policies may share a set of ten thousand keys. The counts tell each of them whether any key lacks an entry
that its headers need; only then are the keys examined one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wardgate.ir import ApiKeyStep, Credential, Digest, MetadataEntry


@dataclass(frozen=True, slots=True)
class KeyTally:
    """By the entry's name: the keys that carry it ``sendable`` in a header, and ``illegal`` in one.

    ``comparable`` counts those that ``match`` can compare with a header, under names in lower case. ``demands``: the
    keys by the source that they take from and their namespace.
    """

    sendable: Counter[str] = field(default_factory=Counter)
    illegal: Counter[str] = field(default_factory=Counter)
    comparable: Counter[str] = field(default_factory=Counter)
    demands: Counter[tuple[str, str]] = field(default_factory=Counter)

    def after(self, gone: Iterable[Credential], come: Iterable[Credential]) -> KeyTally:
        """The counts without some keys and with others."""
        tally = KeyTally(Counter(self.sendable), Counter(self.illegal), Counter(self.comparable), Counter(self.demands))
        for credentials, step in ((gone, -1), (come, 1)):
            for one in credentials:
                if one.metadata_from:
                    tally.demands[one.metadata_from, one.namespace] += step
                for entry in one.metadata:
                    (tally.sendable if entry.legal_header else tally.illegal)[entry.name] += step
                for name, entry in folded(one):
                    tally.comparable[name] += step * entry.legal_header
        # Unary plus drops the counts that fell to zero.
        return KeyTally(+tally.sendable, +tally.illegal, +tally.comparable, +tally.demands)

    def may_lack(self, step: ApiKeyStep, total: int, *, needed: Iterable[str]) -> bool:
        """Whether one of all ``total`` keys may lack a value for a header of the step, in a way worth a warning.

        ``needed``: the entries that each of them should have.
        """
        return (
            any(self.illegal[header.entry] for header in step.metadata_headers)
            or any(self.sendable[entry] < total for entry in needed)
            or any(self.comparable[name] < total for name in matched(step))
        )


def matched(step: ApiKeyStep) -> tuple[str, ...]:
    """The headers that ``match`` compares, in lower case."""
    return step.stored.match_headers if isinstance(step.stored, Digest) else ()


def folded(credential: Credential) -> Iterator[tuple[str, MetadataEntry]]:
    """The entries, sorted as they are, under names in lower case; of two that differ in case only, the last counts."""
    yield from {entry.name.lower(): entry for entry in credential.metadata}.items()
