"""A folder of manifests as a source of stored objects.

It does what an API server does for objects: identities, versions that grow with every change, one object per name. A
scan reads only the files whose signature changed, and re-reads those that changed so shortly before they were read
that a further change might not show in their signature. Files and documents that cannot be read keep what they held
(``objects.slots``). Translating what the objects mean is not done here.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from wardgate.problems import ObjectRef, Problem, Reason
from wardgate.snapshot import StoredObject
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.objects import placeholders
from wardgate.standalone.objects.file_reader import diagnostic, read_file
from wardgate.standalone.objects.manifests import is_ours
from wardgate.standalone.objects.slots import Item, Slot, items_of, out_of_sight, retain, unreadable
from wardgate.standalone.scan.listing import Listing, Signature, list_files
from wardgate.standalone.yaml.documents import MAX_FILE_BYTES, UnreadableFileError
from wardgate.standalone.yaml.position import Position

RACY_NS: Final = 2_000_000_000
"""A file changed so shortly before it was read may change again without a new signature: times are that coarse."""
_NOWHERE: Final = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Scan:
    """The content of a folder. ``objects`` by kind; a kind that is gone is an empty tuple, once it has been there.

    Objects of foreign kinds are among them, and are counted as ``foreign``.
    """

    serial: int
    objects: Mapping[str, tuple[StoredObject, ...]]
    diagnostics: tuple[Diagnostic, ...]
    files: int
    foreign: int
    items: Mapping[ObjectRef, Item] = field(repr=False)

    @property
    def count(self) -> int:
        """Number of objects of our kinds that could be read, now or before."""
        return sum(is_ours(ref) and not item.damage for ref, item in self.items.items())

    def is_placeholder(self, ref: ObjectRef) -> bool:
        """Whether the object is one that cannot be read, of which a diagnostic tells."""
        return ref in self.items and bool(self.items[ref].damage)

    def locate(self, problem: Problem) -> tuple[str, Position] | None:
        """Return the file and the place of a problem's field, or of the nearest one around it."""
        item = self.items.get(problem.ref)
        return (item.file, item.locate(problem.field)) if item is not None else None


@dataclass(frozen=True, slots=True)
class _File:
    """The memory of one file. ``signature`` None: read the file again next time."""

    signature: Signature | None
    digest: bytes
    slots: tuple[Slot, ...]
    foreign: int = 0
    notes: tuple[Diagnostic, ...] = ()


class Folder:
    """Scan it as often as there may be something new. Not thread-safe: one task owns it."""

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        given: Mapping[str, bytes] | None = None,
        exclude: Sequence[str] = (),
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._roots = roots
        self._given = given or {}
        self._exclude = exclude
        self._now_ns = now_ns
        self._serial = 0
        self._files: dict[str, _File] = {}
        self._stored: dict[ObjectRef, tuple[bytes, StoredObject]] = {}
        self._kinds: set[str] = set()

    def scan(self) -> Scan:
        """Read what changed and return everything."""
        self._serial += 1
        listing = list_files(self._roots, self._exclude)
        files = {path: self._refresh(path, signature) for path, signature in listing.files.items()}
        files |= {name: self._parse(name, data, signature=None) for name, data in self._given.items()}
        files |= {
            # Read anew once it can be: its Secrets are gone until then.
            path: replace(file, signature=None, digest=b"", slots=out_of_sight(file.slots))
            for path, file in self._files.items()
            if path not in files and _is_hidden(path, listing)
        }
        self._files = dict(sorted(files.items()))
        slots = [slot for file in self._files.values() for slot in file.slots]
        slots += [
            _unlisted(path, message=message, remedy=remedy, known=self._files)
            for path, (message, remedy) in listing.unreadable.items()
        ]
        items, conflicts = _claim(slots)
        stored = self._version(items)
        unheeded = [
            _unheeded(path, line, message=message, remedy=remedy)
            for path, (line, message, remedy) in listing.unheeded.items()
        ]
        notes = [note for file in self._files.values() for note in file.notes]
        broken = [slot.diagnostic for slot in slots if slot.diagnostic]
        return Scan(
            serial=self._serial,
            objects=MappingProxyType(stored),
            diagnostics=tuple(sorted([*unheeded, *broken, *notes, *conflicts], key=lambda found: found.order)),
            files=len(self._files),
            foreign=sum(file.foreign for file in self._files.values()) + sum(not is_ours(ref) for ref in items),
            items=MappingProxyType(items),
        )

    def _refresh(self, path: str, signature: Signature) -> _File:
        held = self._files.get(path)
        if held is not None and held.signature == signature:
            return held
        settled = abs(self._now_ns() - max(signature[3:])) >= RACY_NS
        try:
            data = _read_bytes(path)
        except OSError as error:
            return self._whole_file_broken(
                path, message=f"The file cannot be read: {error.strerror}.", remedy=_MEND_PATH
            )
        return self._parse(path, data, signature=signature if settled else None)

    def _parse(self, path: str, data: bytes, *, signature: Signature | None) -> _File:
        digest = hashlib.blake2b(data, digest_size=16).digest()
        held = self._files.get(path)
        if held is not None and held.digest == digest:
            return replace(held, signature=signature)
        if held is not None and items_of(held.slots) and not data.strip():
            # A shell and some editors empty a file before they fill it: a policy must not vanish for that moment. The
            # watcher waits for the folder to be still, so that a key of such a file is rarely missed.
            empty = self._whole_file_broken(
                path, message="The file is empty.", remedy="Remove the file to remove its objects."
            )
            return replace(empty, signature=signature, digest=digest)
        try:
            content = read_file(path, data)
        except UnreadableFileError as error:
            broken = self._whole_file_broken(path, message=str(error), remedy=error.remedy, place=error.place)
            return replace(broken, signature=signature, digest=digest)
        slots = retain(held.slots if held else (), content.slots)
        return _File(signature, digest, slots, content.foreign, tuple(content.notes))

    def _whole_file_broken(self, path: str, *, message: str, remedy: str, place: Position = _NOWHERE) -> _File:
        held = self._files.get(path)
        kept = items_of(held.slots) if held else ()
        told = diagnostic(path, place, message=message, remedy=remedy)
        return _File(None, b"", (unreadable(told, kept=kept, placeholder=placeholders.of_file(path)),))

    def _version(self, items: Mapping[ObjectRef, Item]) -> dict[str, tuple[StoredObject, ...]]:
        held, self._stored = self._stored, {}
        for ref, item in items.items():
            digest, stored = held.get(ref, (b"", None))
            if stored is None or digest != item.digest:
                generation = 1 if stored is None else stored.generation + 1
                uid = f"{ref.kind}/{ref.namespace}/{ref.name}"
                stored = StoredObject(
                    ref, uid, self._serial, generation, item.created, item.manifest, is_damaged=bool(item.damage)
                )
            self._stored[ref] = (item.digest, stored)
        self._kinds.update(ref.kind for ref in items)
        by_kind: dict[str, list[StoredObject]] = {kind: [] for kind in sorted(self._kinds)}
        for _, stored in self._stored.values():
            by_kind[stored.ref.kind].append(stored)
        return {kind: tuple(sorted(objects, key=lambda obj: obj.age_key)) for kind, objects in by_kind.items()}


_MEND_PATH: Final = "Mend its permissions."


def _read_bytes(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _claim(slots: Sequence[Slot]) -> tuple[dict[ObjectRef, Item], list[Diagnostic]]:
    """Choose the source of every object: a readable slot, else one that keeps it, else its placeholder."""
    items: dict[ObjectRef, Item] = {}
    conflicts: list[Diagnostic] = []
    for item in (slot.item for slot in slots if slot.item is not None):
        first = items.setdefault(item.ref, item)
        if first is not item:
            conflicts.append(_twice(first, item))
    for item in (item for slot in slots for item in slot.kept):
        items.setdefault(item.ref, item)
    for item in (slot.placeholder.item for slot in slots if slot.placeholder is not None):
        items.setdefault(item.ref, item)
    return items, conflicts


def _unlisted(path: str, *, message: str, remedy: str, known: Collection[str]) -> Slot:
    """The slot of a path that cannot be looked at. Files that were read there before stay as they are."""
    was_read = any(_is_at_or_below(one, path) for one in known)
    told = diagnostic(path, _NOWHERE, message=message, remedy=remedy)
    return unreadable(told, placeholder=None if was_read else placeholders.of_file(path))


def _twice(first: Item, second: Item) -> Diagnostic:
    where = f"{first.file}:{first.locate(()).line}"
    if first.digest == second.digest:
        return _copy(second, where)
    message = f"{second.ref} is already defined in {where}, which is the one that counts."
    return diagnostic(
        second.file,
        second.locate(()),
        message=message,
        remedy="Remove this one, give it another name, or leave its file out with --exclude, such as a patch of "
        "kustomize.",
        reason=Reason.CONFLICTED,
        ref=second.ref,
    )


def _copy(second: Item, where: str) -> Diagnostic:
    """The note on two objects of one name with the same content: whichever counts, nothing is lost."""
    place = second.locate(())
    message = f"{second.ref} is already defined in {where}, with the same content."
    return Diagnostic("note", second.file, place.line, place.column, str(second.ref), "", Reason.CONFLICTED, message)


def _unheeded(path: str, line: int, *, message: str, remedy: str) -> Diagnostic:
    return diagnostic(
        path, Position(line, 1) if line else _NOWHERE, message=message, remedy=remedy, reason=Reason.INVALID
    )


def _is_hidden(path: str, listing: Listing) -> bool:
    """Whether a path is not listed only because it, or a directory above it, could not be read."""
    return any(_is_at_or_below(path, above) for above in listing.unreadable)


def _is_at_or_below(path: str, above: str) -> bool:
    return path == above or path.startswith(above + os.sep)
