"""The Secrets that Wardgate reads, and no others: the set of reflectors that brings them.

Key Secrets, and the provider Secrets that they take from, come by their types, selected by the server, from every
namespace or from those of ``key_namespaces``. Plain (Opaque) ones that hold keys too come only where an installation
gives a label selector for them. Whatever an object *names* (a certificate, a CA, a shared secret) comes by its name,
one small watch each; ``follow`` is told after every translation which these are. Never by type: that would bring every
private key of the cluster here.

``missing`` says what is not known yet. A named Secret counts as known once its first list was answered: one that does
not exist is an answer, and one that we may not read must not hold up everything else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.pacing import SILENCE, Timing
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.watch.listing import list_all_again
from wardgate.kube.watch.reflector import Reflector
from wardgate.kube.watch.sink import Sink
from wardgate.problems import ObjectRef
from wardgate.tasks import spawn

_log = logging.getLogger(__name__)

MAX_NAMED: Final = 500
"""Secrets watched by name at most; each costs a connection."""
_OPAQUE: Final = "Opaque"


@dataclass(frozen=True, slots=True)
class SecretsScope:
    """The Secrets to read. ``key_namespaces`` empty: all. ``opaque_selector``: labels of plain Secrets with keys."""

    key_namespaces: frozenset[str] = frozenset()
    opaque_selector: str = ""
    max_named: int = MAX_NAMED

    def covers(self, namespace: str) -> bool:
        """Whether Secrets of the namespace may be read at all."""
        return not self.key_namespaces or namespace in self.key_namespaces


class SecretsWatch:
    """Owned by one task of one loop."""

    def __init__(
        self,
        client: KubeClient,
        scope: SecretsScope,
        *,
        sink: Sink,
        timing: Timing,
        silence: float = SILENCE,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_refusal`` is called when ``refused`` has changed."""
        self._on_refusal = on_refusal
        self._client = client
        self._scope = scope
        self._sink = sink
        self._timing = timing
        self._silence = silence
        self._selected = tuple(self._reflector(*each) for each in _selections(scope))
        self._named: dict[ObjectRef, Reflector] = {}
        self._tasks: dict[ObjectRef, asyncio.Task[NoReturn]] = {}
        self._running = False
        self.not_followed: tuple[str, ...] = ()
        """Named Secrets that are not read, a sentence for each reason."""

    @property
    def reflectors(self) -> tuple[Reflector, ...]:
        """All reflectors of this moment, for probes."""
        return (*self._selected, *self._named.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons why Secrets cannot be read, a sentence each."""
        return (*(one.problem for one in self.reflectors if one.problem), *self.not_followed)

    @property
    def refused(self) -> frozenset[str]:
        """Named Secrets, ``NAMESPACE/NAME``, that the API server does not let us read."""
        return frozenset(f"{ref.namespace}/{ref.name}" for ref, one in self._named.items() if one.is_refused)

    @property
    def is_live(self) -> bool:
        """Whether every watch is open. Nothing can escape us of a named Secret that we never could read."""
        return all(one.is_live for one in self._selected) and all(
            one.is_live or (one.is_answered and one.listed_at is None) for one in self._named.values()
        )

    @property
    def last_word_at(self) -> float | None:
        """The time of the last word about the watch that has been silent for longest; None: never."""
        words = [one.last_word_at for one in self._selected]
        words += [one.last_word_at for one in self._named.values() if one.listed_at is not None]
        heard = [word for word in words if word is not None]
        return min(heard) if len(heard) == len(words) else None

    def missing(self) -> tuple[str, ...]:
        """A sentence for every list that is still to come."""
        late = [one for one in self._selected if one.listed_at is None]
        late += [one for one in self._named.values() if not one.is_answered]
        return tuple(one.problem or f"Waiting for the list of {one.collection}." for one in late)

    async def run(self) -> None:
        """Follow them all until cancelled."""
        self._running = True
        try:
            for ref, reflector in self._named.items():
                self._start(ref, reflector)
            async with asyncio.TaskGroup() as group:
                for reflector in self._selected:
                    group.create_task(reflector.run(), name=f"watch of {reflector.collection}")
        finally:
            self._running = False
            tasks = list(self._tasks.values())
            self._tasks.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def follow(self, named: Iterable[ObjectRef]) -> None:
        """Watch these Secrets by name from now on, and those named before no longer."""
        wanted = list(self._readable(named))
        for ref in self._named.keys() - set(wanted):
            self._stop(ref)
        for ref in wanted:
            if ref not in self._named:
                self._named[ref] = self._reflector(_by_name(ref), f"name:{ref.namespace}/{ref.name}")
                if self._running:
                    self._start(ref, self._named[ref])

    async def list_again(self) -> None:
        """List them all once more. Raises ``KubeError`` where that could not be found out.

        A refusal (403) is no such case: as everywhere, what was last seen stays, and ``problems`` tells.
        """
        await list_all_again(self.reflectors)

    def _readable(self, named: Iterable[ObjectRef]) -> Iterator[ObjectRef]:
        """The Secrets that may be read, up to the limit; the others are reported."""
        wanted = sorted(set(named))
        covered = [ref for ref in wanted if self._scope.covers(ref.namespace)]
        kept = covered[: self._scope.max_named]
        complaints = []
        foreign = sorted({ref.namespace for ref in wanted} - {ref.namespace for ref in covered})
        if foreign:
            complaints.append(
                f"Secrets that objects name in {_listed(foreign)} are not read: keyNamespaces does not list "
                f"{'it' if len(foreign) == 1 else 'them'}. Add {'it' if len(foreign) == 1 else 'them'} there, or "
                f"move the Secrets."
            )
        if len(covered) > len(kept):
            complaints.append(
                f"Objects name {len(covered)} Secrets, and only the first {len(kept)} are read, by namespace and "
                f"name. Raise the limit of named Secrets, or name fewer."
            )
        self._report(tuple(complaints))
        yield from kept

    def _report(self, complaints: tuple[str, ...]) -> None:
        for sentence in complaints:
            if sentence not in self.not_followed:
                _log.warning("%s", sentence)
        self.not_followed = complaints

    def _reflector(self, collection: Collection, scope: str) -> Reflector:
        return Reflector(
            self._client,
            collection,
            sink=self._sink,
            scope=scope,
            timing=self._timing,
            silence=self._silence,
            on_refusal=self._on_refusal,
        )

    def _start(self, ref: ObjectRef, reflector: Reflector) -> None:
        self._tasks[ref] = spawn(reflector.run(), name=f"watch of {reflector.collection}")

    def _stop(self, ref: ObjectRef) -> None:
        task = self._tasks.pop(ref, None)
        if task is not None:
            task.cancel()
        self._sink.dropped(SECRETS.kind, self._named.pop(ref).scope)


def _selections(scope: SecretsScope) -> Iterator[tuple[Collection, str]]:
    """The collections that are selected by type, each with the name of its scope."""
    places: list[str | None] = [*sorted(scope.key_namespaces)] or [None]
    for namespace in places:
        place = "" if namespace is None else f" in {namespace}"
        yield Collection(SECRETS, namespace, _of_type(KEY_SECRET_TYPE)), f"keys{place}"
        yield Collection(SECRETS, namespace, _of_type(PROVIDER_TOKEN_TYPE)), f"tokens{place}"
        if scope.opaque_selector:
            labelled = (*_of_type(_OPAQUE), ("labelSelector", scope.opaque_selector))
            yield Collection(SECRETS, namespace, labelled), f"opaque{place}"


def _of_type(name: str) -> tuple[tuple[str, str], ...]:
    return (("fieldSelector", f"type={name}"),)


def _by_name(ref: ObjectRef) -> Collection:
    return Collection(SECRETS, ref.namespace, (("fieldSelector", f"metadata.name={ref.name}"),))


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"namespace{'' if len(names) == 1 else 's'} {shown}{more}"
