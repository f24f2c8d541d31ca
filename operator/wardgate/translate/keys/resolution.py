"""Resolves key Secrets to credentials: all key sets that policies ask for.

Rule 1: a bad Secret costs itself alone. It becomes a warning that names it, never its content.
Rule 2: a restriction of a key (an expiry, a list of hosts) that cannot be read refuses the key.
Rule 3: within one key set the oldest Secret with a key wins; a Secret outside the set displaces nobody.
Rule 4: equal requests are one key set: a policy that changes leaves every credential unchanged.

No clock is read here: the expiry is handed on, and the proxy compares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from wardgate.ir import ApiKeyStep, Credential, TokenSource
from wardgate.problems import Problem
from wardgate.translate.contract import KeySetRequest
from wardgate.translate.keys import key_warnings
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.key_set import KeySet, labelled
from wardgate.translate.keys.shortcomings import needs, shortcomings
from wardgate.translate.keys.takers import Takers, takers_of
from wardgate.translate.keys.token_flow import Credentials
from wardgate.translate.keys.token_sources import TokenSources, source_ref
from wardgate.translate.secrets.secret_index import HeldSecret, SecretChange, SecretIndex
from wardgate.translate.secrets.source_reader import UsableSource


class KeySets:
    """The key sets over one index of Secrets. ``closed``: see ``resolve_keys``."""

    def __init__(
        self, sets: Mapping[str, KeySet], index: SecretIndex, *, rules: KeyRules, closed: Sequence[KeySetRequest]
    ) -> None:
        self.index = index
        self._sets = sets
        self.rules = rules
        self._closed = closed
        self.sources = TokenSources(index, rules)
        self._takers: dict[str, Takers] = {}
        self._shortcomings: dict[tuple[str, object], tuple[Problem, ...]] = {}

    def of(self, name: str) -> KeySet:
        """The set of that name, which some policy asked for."""
        return self._sets[name]

    def credentials(self, names: Iterable[str]) -> tuple[Credential, ...]:
        """The credentials of the named sets, sorted by set and digest."""
        return tuple(chain.from_iterable(self._sets[name].credentials for name in sorted(names)))

    def token_sources(self, names: Iterable[str]) -> tuple[TokenSource, ...]:
        """The sources of the keys of the named sets, sorted."""
        return self.sources.published(chain.from_iterable(self._sets[name].tally.demands for name in names))

    def takers(self, name: str) -> Takers:
        """The keys of a set together with their sources."""
        if name not in self._takers:
            keys = self._sets[name]
            takes = bool(keys.tally.demands)
            self._takers[name] = (
                takers_of(keys.credentials, self.sources) if takes else Takers(keys.credentials, {}, ())
            )
        return self._takers[name]

    def shortcomings(self, name: str, step: ApiKeyStep, *, tokens: Credentials) -> tuple[Problem, ...]:
        """The shortcomings of the keys of a set for one step, of those that a source closes none."""
        keys = self._sets[name]
        if not keys.tally.demands:
            return keys.shortcomings(step, tokens)
        needed = name, needs(step, tokens)
        if needed not in self._shortcomings:
            self._shortcomings[needed] = tuple(shortcomings(self.takers(name).joined, step, tokens=tokens))
        return self._shortcomings[needed]

    def bound(self, name: str) -> tuple[Credential, ...]:
        """The credentials of a set that are bound to hosts, by themselves or by their sources."""
        keys = self._sets[name]
        if not keys.tally.demands:
            return keys.bound
        return tuple(one for one in self.takers(name).joined if one.allowed_hosts is not None)

    def get(self, name: str) -> KeySet | None:
        """The set of that name, if some policy asked for it."""
        return self._sets.get(name)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The faults of existing Secrets: bad ones, duplicates, and keys that no policy uses.

        Secrets have no status; ``key_problems`` repeats the faults to each policy that selects them.
        """
        present = {one for keys in self._sets.values() for one in keys.faults}
        present.update(chain.from_iterable(self.takers(name).problems for name in self._sets))
        present.update(self._misshared())
        used = self._used()
        tenancy = self.rules.tenancy
        unused = (key_warnings.unused(one.ref, tenancy) for one in self.index.key_secrets if one not in used)
        return tuple(sorted({*present, *unused}, key=_problem_order))

    def _misshared(self) -> Iterator[Problem]:
        """Sources that their owner shares in vain."""
        for source_id, _ in {demand for keys in self._sets.values() for demand in keys.tally.demands}:
            ref = source_ref(source_id)
            held = self.index.get(ref)
            found = None if held is None else held.source(limit=self.rules.limit)
            if isinstance(found, UsableSource) and found.sharing_fault is not None:
                yield key_warnings.misshared(ref, found.sharing_fault)
            elif (
                isinstance(found, UsableSource)
                and found.shared_with
                and not self.rules.tenancy.is_platform(ref.namespace)
            ):
                yield key_warnings.shared_in_vain(ref)

    def _used(self) -> set[HeldSecret]:
        used: set[HeldSecret] = set()
        for keys in self._sets.values():
            used.update(keys.secrets())
        for request in self._closed:
            used.update(labelled(request, self.index.selected))
            used.update(held for ref in request.refs if (held := self.index.get(ref)) is not None)
        return used


def by_name(requests: Iterable[KeySetRequest]) -> Mapping[str, KeySetRequest]:
    """Requests under their names, each once, sorted."""
    return dict(sorted({request.name: request for request in requests}.items()))


def resolve_keys(
    requests: Mapping[str, KeySetRequest],
    index: SecretIndex,
    *,
    rules: KeyRules,
    closed: Sequence[KeySetRequest] = (),
    last: KeySets | None = None,
) -> KeySets:
    """The requested sets, made of those of the ``last`` translation as far as it requested them too.

    ``closed``: the requests of policies that are not served (``closed_requests``). They open nothing, and keep their
    Secrets from being called unused.
    """
    everything = SecretChange(gone=SecretIndex(), come=index)
    change = everything if last is None else index.change_since(last.index)
    sets: dict[str, KeySet] = {}
    for name, request in requests.items():
        known = None if last is None else last.get(name)
        sets[name] = KeySet(request, rules).after(everything) if known is None else known.after(change)
    return KeySets(sets, index, rules=rules, closed=closed)


def _problem_order(problem: Problem) -> tuple[str, str, str, str]:
    return (problem.reason.value, problem.ref.namespace, problem.ref.name, problem.message)
