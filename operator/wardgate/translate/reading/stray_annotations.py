"""Annotations that look like Wardgate's and are not: a misspelt restriction would restrict nothing, silently.

They are read from the applied manifest, so that an object that does not parse is told as well, and a Secret too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wardgate.api.kinds.annotations import stray_annotations
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.incremental.differences import differences
from wardgate.translate.manifests import at, mapping


@dataclass(frozen=True, slots=True)
class Strays:
    """The warnings about the objects of one kind, by object."""

    objects: Sequence[StoredObject] = ()
    problems: Mapping[ObjectRef, tuple[Problem, ...]] = field(default_factory=dict)

    def after(self, objects: Sequence[StoredObject]) -> Strays:
        """The warnings of the next snapshot. Only objects that changed are looked at."""
        gone, come = differences(self.objects, objects)
        problems = dict(self.problems)
        for stored in gone:
            problems.pop(stored.ref, None)
        for stored in come:
            found = tuple(_warnings(stored))
            if found:
                problems[stored.ref] = found
        return Strays(objects, problems)


def _warnings(stored: StoredObject) -> Iterator[Problem]:
    annotations = mapping(at(stored.manifest, "metadata", "annotations"))
    for stray in stray_annotations(annotations, stored.ref.kind):
        message = f"{stored.ref}: the annotation {_shown(stray.name)} {stray.complaint}"
        field = ("metadata", "annotations", stray.name)
        yield Problem(ProblemKind.WARNING, Reason.UNKNOWN_FIELD, message, stored.ref, field)


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)
