"""Annotations that look like Wardgate's and are none: a misspelt restriction would restrict nothing, in silence.

Read from the manifest as it was applied, so that an object that does not parse is told as well, and a Secret too.
"""

from __future__ import annotations

from wardgate.api.annotations import stray_annotations
from wardgate.problems import Reason
from wardgate.snapshot import ClusterSnapshot
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import at, mapping


def report_stray_annotations(snapshot: ClusterSnapshot, findings: Findings) -> None:
    """Warn about every one of them, on objects of every kind."""
    for stored in (stored for kind in sorted(snapshot.objects) for stored in snapshot.of(kind)):
        annotations = mapping(at(stored.manifest, "metadata", "annotations"))
        for stray in stray_annotations(annotations, stored.ref.kind):
            message = f"{stored.ref}: the annotation {_shown(stray.name)} {stray.complaint}"
            findings.warning(stored.ref, Reason.UNKNOWN_FIELD, message, ("metadata", "annotations", stray.name))


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)
