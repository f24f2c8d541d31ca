"""One file as a row of slots: an object that can be read, or a place where something cannot.

A file that cannot be read must not read as "deleted": a half-saved file would take down every route in it. So an
unreadable slot keeps what stood there before. If the slot still tells which object it is about, that one; if not, what
the file held between the slot's readable neighbours and holds no longer. That is the smallest set that is certain to
contain the right one, so that deleting a key's Secret elsewhere in the same file still revokes the key.

A Secret is not kept: what cannot be read may be a key's revocation, and a key never falls back to an earlier form
(invariant 5). Of Secrets only a certificate outlasts its place, since it lets nobody in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wardgate.problems import FieldPath, ObjectRef
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.yaml.documents import Document
from wardgate.standalone.yaml.position import Position


@dataclass(frozen=True, slots=True)
class Item:
    """One object as it was read. ``digest`` tells two contents apart, ``path`` is where it stands in its document.

    ``created`` is its creation time, empty where it has none that can be read. ``damage`` says what it costs that the
    manifest only stands in for an object that cannot be read (``placeholders``); empty for every other one.
    """

    ref: ObjectRef
    manifest: Mapping[str, object] = field(repr=False)
    digest: bytes
    file: str
    document: Document
    path: FieldPath
    created: str = ""
    damage: str = ""

    def locate(self, field_path: FieldPath) -> Position:
        """Return the place of a field, or of the nearest one around it."""
        return self.document.locate((*self.path, *field_path))


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The object that counts where no earlier one is kept. ``is_sure``: the text names its kind, which is no guess."""

    item: Item
    is_sure: bool

    def is_needed_beside(self, held: Sequence[Item]) -> bool:
        """Whether none of the objects held in the place is the one that the text is about."""
        if self.is_sure:
            return all(item.ref.kind != self.item.ref.kind for item in held)
        return not held


@dataclass(frozen=True, slots=True)
class Slot:
    """Either ``item``, or ``diagnostic`` with what is ``kept`` in its place; ``ref`` tells what it is about.

    ``placeholder`` counts as well, unless an object of its name can be read elsewhere.
    """

    ref: ObjectRef | None
    item: Item | None = None
    diagnostic: Diagnostic | None = None
    kept: tuple[Item, ...] = ()
    placeholder: Placeholder | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        """The objects that the slot contributes."""
        return (self.item,) if self.item is not None else self.kept


_CERTIFICATE: Final = "kubernetes.io/tls"


def digest_of(manifest: Mapping[str, object]) -> bytes:
    """A digest of the content, which differs also where Python compares equal (``1`` and ``true``)."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def readable(item: Item) -> Slot:
    """Make the slot of an object."""
    return Slot(item.ref, item)


def unreadable(
    diagnostic: Diagnostic,
    ref: ObjectRef | None = None,
    *,
    kept: tuple[Item, ...] = (),
    placeholder: Placeholder | None = None,
) -> Slot:
    """Make the slot of a mistake. Secrets among ``kept`` are let go, and the remedy says so.

    A note becomes an error where it costs something.
    """
    lasting = tuple(item for item in kept if _outlasts(item))
    gone = tuple(item for item in kept if not _outlasts(item))
    if placeholder is not None and not placeholder.is_needed_beside(kept):
        placeholder = None
    parts = [diagnostic.remedy]
    if lasting:
        parts.append(f"Until then {_names(lasting)} {'stays as it was' if len(lasting) == 1 else 'stay as they were'}.")
    if gone:
        parts.append(f"Until then {_names(gone)} {'counts' if len(gone) == 1 else 'count'} as deleted.")
    if placeholder is not None:
        parts.append(placeholder.item.damage)
    remedy = " ".join(part for part in parts if part)
    severity = "error" if kept or placeholder is not None else diagnostic.severity
    return Slot(ref, None, replace(diagnostic, remedy=remedy, severity=severity), lasting, placeholder)


def out_of_sight(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Return the slots of a file that is there, perhaps, and cannot be looked at."""
    return tuple(
        replace(slot, kept=tuple(item for item in slot.kept if _outlasts(item)))
        for slot in slots
        if slot.item is None or _outlasts(slot.item)
    )


def _outlasts(item: Item) -> bool:
    return item.ref.kind != "Secret" or item.manifest.get("type") == _CERTIFICATE


def items_of(slots: Sequence[Slot]) -> tuple[Item, ...]:
    """Return everything the slots contribute, in order."""
    return tuple(item for slot in slots for item in slot.items)


def retain(before: Sequence[Slot], now: Sequence[Slot]) -> tuple[Slot, ...]:
    """Give every unreadable slot of ``now`` what it has to keep of ``before``."""
    held = items_of(before)
    taken = {slot.ref for slot in now if slot.ref is not None}
    result: list[Slot] = []
    for index, slot in enumerate(now):
        if slot.diagnostic is None:
            result.append(slot)
            continue
        if slot.ref is not None:
            kept = tuple(item for item in held if item.ref == slot.ref)
        else:
            kept = tuple(item for item in _between_neighbours(held, now, index=index) if item.ref not in taken)
            taken.update(item.ref for item in kept)
        result.append(unreadable(slot.diagnostic, slot.ref, kept=kept, placeholder=slot.placeholder))
    return tuple(result)


def _between_neighbours(held: Sequence[Item], now: Sequence[Slot], *, index: int) -> Sequence[Item]:
    position = {item.ref: at for at, item in enumerate(held)}
    # Without a neighbour the gap reaches to the end of the file: -1 and the length stand for both.
    before = next((position[slot.ref] for slot in reversed(now[:index]) if slot.ref in position), -1)
    after = next((position[slot.ref] for slot in now[index + 1 :] if slot.ref in position), len(held))
    return held[before + 1 : after]


def _names(items: Sequence[Item]) -> str:
    shown = ", ".join(str(item.ref) for item in items[:3])
    return shown if len(items) <= 3 else f"{shown} and {len(items) - 3} more"
