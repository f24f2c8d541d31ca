"""The operator's memory: the last good forms, in Secrets of the release namespace that only the operator reads.

Without it a restart would close the routes of every object that is bad by then. So it is read before the first
translation of a leader, and what cannot be read of it is told and does without: those objects have no last good form.
A save rewrites the parts that changed; the first one of a new leader rewrites all of them under its name, so that a
predecessor's late save fails.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.owner import Owner
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import RELEASE_LABEL, ROLE_LABEL, Manifest
from wardgate.kube.last_good.state_parts import (
    MAX_PARTS,
    TARGET,
    EncodedPart,
    StatePart,
    UnreadableStateError,
    decode_part,
    encode_part,
    merge,
    part_of,
)
from wardgate.kube.lead.fence import Deposed, FencedSecret, version_of
from wardgate.kube.lead.term import Term
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.reading.last_good import LastGood

ENTRY: Final = "state.z"
ROLE: Final = "state"
_NOTHING: Final[LastGood] = MappingProxyType({})


class StateStore:
    """The memory of one term. Nothing is written before ``load``, or once the term is over. It goes with ``owner``."""

    def __init__(
        self, client: KubeClient, *, release: str, namespace: str, term: Term, owner: Owner | None = None
    ) -> None:
        self._client = client
        self._release = release
        self._namespace = namespace
        self._term = term
        self._owner = owner
        self._writer = f"{term.identity} {secrets.token_hex(4)}"
        self._lock = asyncio.Lock()
        self._fences: dict[int, FencedSecret] = {}
        self._members: list[dict[ObjectRef, StoredObject]] = []
        self._dirty: set[int] = set()
        self._saved: LastGood = _NOTHING
        self._left_out: dict[int, tuple[ObjectRef, ...]] = {}
        self.problem = ""
        """A sentence on the parts that ``load`` could not read; empty if it could read all."""

    @property
    def left_out(self) -> tuple[ObjectRef, ...]:
        """Objects too large to be kept: they have no last good form after a restart."""
        return tuple(sorted(ref for refs in self._left_out.values() for ref in refs))

    async def load(self) -> LastGood:
        """Read what was saved, and write from now on. Raises ``KubeError`` if the API server does not answer."""
        async with self._lock:
            found = await self._list()
            parts, problems = await asyncio.to_thread(_decode_all, found)
            self.problem = " ".join(self._sentence(number, text) for number, text in problems.items())
            self._fences = {number: self._fence(number, version_of(secret)) for number, secret in found.items()}
            self._saved = merge(parts)
            self._divide(_count_of(found, parts))
            return self._saved

    async def save(self, last_good: LastGood) -> int:
        """Write what changed; return how many Secrets that were. Raises ``Deposed`` and other ``KubeError``.

        After an error the same call, or one with newer forms, writes what this one could not.
        """
        async with self._lock:
            self._term.check()
            if not self._members:
                msg = "This operator has not loaded its state: it must do so before it saves any."
                raise Deposed(msg)
            self._take(last_good)
            written = 0
            while self._dirty:
                # The highest first: a part that splits shrinks only when its other half is safe.
                number = max(self._dirty)
                encoded = await self._encode(number)
                if self._must_split(number, encoded):
                    self._divide(len(self._members) * 2)
                    continue
                await self._write(number, encoded)
                self._dirty.discard(number)
                written += 1
            return written

    def _take(self, last_good: LastGood) -> None:
        """Find the parts in which something changed."""
        for ref, one in last_good.items():
            held = self._saved.get(ref)
            if held is not one and held != one:
                self._part(ref)[ref] = one
        for ref in self._saved.keys() - last_good.keys():
            del self._part(ref)[ref]
        self._saved = last_good

    def _part(self, ref: ObjectRef) -> dict[ObjectRef, StoredObject]:
        """The part of an object, which is about to change."""
        number = part_of(ref, len(self._members))
        self._dirty.add(number)
        return self._members[number]

    def _divide(self, count: int) -> None:
        """Spread everything over so many parts, all of them to be written."""
        self._members = [{} for _ in range(count)]
        for ref, one in self._saved.items():
            self._members[part_of(ref, count)][ref] = one
        self._dirty = set(range(count))
        self._left_out.clear()

    def _must_split(self, number: int, encoded: EncodedPart) -> bool:
        return encoded.size > TARGET and len(self._members[number]) > 1 and len(self._members) < MAX_PARTS

    async def _encode(self, number: int) -> EncodedPart:
        objects, count = tuple(self._members[number].values()), len(self._members)
        return await asyncio.to_thread(encode_part, objects, count=count, writer=self._writer)

    async def _write(self, number: int, encoded: EncodedPart) -> None:
        fence = self._fences.setdefault(number, self._fence(number, None))
        try:
            await fence.write(lambda version: self._manifest(number, encoded, version=version))
        except Deposed as error:
            self._term.end(error)
            raise
        self._left_out[number] = encoded.left_out

    async def _list(self) -> dict[int, Manifest]:
        """The Secrets of the state by the number of their part."""
        selector = f"{RELEASE_LABEL}={self._release},{ROLE_LABEL}={ROLE}"
        names = {_name(self._release, number): number for number in range(MAX_PARTS)}
        found: dict[int, Manifest] = {}
        async for page in self._client.pages(SECRETS.path(self._namespace), {"labelSelector": selector}):
            items = ((names.get(secret["metadata"]["name"]), secret) for secret in page["items"])
            found |= {number: secret for number, secret in items if number is not None}
        return found

    def _fence(self, number: int, version: str | None) -> FencedSecret:
        name = _name(self._release, number)
        fence = FencedSecret(self._client, namespace=self._namespace, name=name, is_ours=self._is_ours)
        fence.version = version
        return fence

    def _is_ours(self, secret: Mapping[str, Any]) -> bool:
        """A part that cannot be read is no loss: what it held is in memory."""
        try:
            return _decode(secret).writer == self._writer
        except UnreadableStateError:
            return True

    def _manifest(self, number: int, encoded: EncodedPart, *, version: str | None) -> Manifest:
        metadata: dict[str, Any] = {
            "name": _name(self._release, number),
            "namespace": self._namespace,
            "labels": {RELEASE_LABEL: self._release, ROLE_LABEL: ROLE},
        }
        if self._owner is not None:
            metadata["ownerReferences"] = self._owner.references
        if version is not None:
            metadata["resourceVersion"] = version
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": metadata,
            "data": {ENTRY: base64.b64encode(encoded.data).decode()},
        }

    def _sentence(self, number: int, text: str) -> str:
        return (
            f"Secret {self._namespace}/{_name(self._release, number)} cannot be read: {text} Objects that are INVALID "
            "now and were kept in it are closed until they are corrected."
        )


def _name(release: str, number: int) -> str:
    return f"{release}-state-{number}" if number else f"{release}-state"


def _decode_all(found: Mapping[int, Manifest]) -> tuple[list[StatePart], dict[int, str]]:
    """The parts that can be read, and why others cannot."""
    parts: list[StatePart] = []
    problems: dict[int, str] = {}
    for number, secret in sorted(found.items()):
        try:
            parts.append(_decode(secret))
        except UnreadableStateError as error:
            problems[number] = str(error)
    return parts, problems


def _decode(secret: Mapping[str, Any]) -> StatePart:
    try:
        data = base64.b64decode(secret["data"][ENTRY], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"It holds no {ENTRY} ({type(error).__name__})."
        raise UnreadableStateError(msg) from None
    return decode_part(data)


def _count_of(found: Mapping[int, Manifest], parts: list[StatePart]) -> int:
    """As many as there ever were: each of them must be written over."""
    highest = max(found, default=0)
    return max([part.count for part in parts] + [1 << highest.bit_length()])
