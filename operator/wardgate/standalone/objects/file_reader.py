"""A file's bytes as a row of slots: every object in it, and everything that should have been one. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.problems import ObjectRef, Reason, format_path
from wardgate.standalone.findings.diagnostics import Diagnostic, Severity
from wardgate.standalone.objects import placeholders
from wardgate.standalone.objects.classification import Classification, classify, is_template, names_several
from wardgate.standalone.objects.manifests import Fault, Foreign, Manifest, read_manifests
from wardgate.standalone.objects.slots import Item, Slot, digest_of, readable
from wardgate.standalone.yaml.documents import BrokenDocument, Document, read_documents
from wardgate.standalone.yaml.position import Position

_LEFT_ALONE = "It names no kind that Wardgate reads, and is left alone."
_TEMPLATE = "This is a template, which is not filled in here."
_RENDER_IT = "Give Wardgate what helm template makes of it, or leave it out with --exclude."


@dataclass(slots=True)
class FileContent:
    """``foreign`` counts objects of kinds that mean nothing here. The slots have nothing to keep yet."""

    slots: list[Slot] = field(default_factory=list)
    foreign: int = 0
    notes: list[Diagnostic] = field(default_factory=list)


def read_file(path: str, data: bytes) -> FileContent:
    """Read all of it. Raises ``UnreadableFileError``."""
    content = FileContent()
    for document in read_documents(data):
        if isinstance(document, BrokenDocument):
            content.slots.append(_broken(path, document))
        else:
            _read_document(path, document, content=content)
    return content


def diagnostic(
    file: str,
    place: Position,
    *,
    message: str,
    remedy: str,
    reason: Reason = Reason.UNREADABLE,
    ref: ObjectRef | None = None,
    severity: Severity = "error",
) -> Diagnostic:
    """A fault of a text rather than of its meaning."""
    return Diagnostic(
        severity=severity,
        file=file,
        line=place.line,
        column=place.column,
        object=str(ref) if ref is not None else "",
        field="",
        reason=reason,
        message=message,
        remedy=remedy,
    )


def _broken(path: str, document: BrokenDocument) -> Slot:
    judged = classify(document.text)
    is_one = judged is not Classification.FOREIGN and not names_several(document.text)
    ref = placeholders.identify_broken(document.partial) if is_one else None
    placeholder = None if judged is Classification.FOREIGN else placeholders.of_broken(document, judged, file=path)
    message, remedy = document.message, document.remedy
    severity: Severity = "error"
    if is_template(document.text):
        message, remedy = _TEMPLATE, _RENDER_IT
        severity = "error" if placeholder is not None else "note"
    elif judged is Classification.FOREIGN and _is_no_manifest(document.text):
        message, remedy, severity = f"{message} {_LEFT_ALONE}", "", "note"
    told = diagnostic(path, document.place, message=message, remedy=remedy, ref=ref, severity=severity)
    return Slot(ref, None, told, (), placeholder)


def _is_no_manifest(text: str) -> bool:
    """Whether a foreign text was never meant to be YAML: a template of some kind, JSON with comments."""
    return "{{" in text or text.lstrip().startswith(("{", "//", "/*"))


def _read_document(path: str, document: Document, *, content: FileContent) -> None:
    for one in read_manifests(document.value):
        if isinstance(one, Foreign):
            content.foreign += 1
            content.notes += _note(path, document, foreign=one)
        elif isinstance(one, Fault):
            content.slots.append(_faulty(path, document, fault=one))
        else:
            content.slots.append(_readable(path, document, content=one))
            content.notes += _remark(path, document, content=one)


def _faulty(path: str, document: Document, *, fault: Fault) -> Slot:
    placeholder = placeholders.of_fault(fault, document, file=path)
    told = diagnostic(
        path,
        document.locate(fault.path),
        message=fault.message,
        remedy=fault.remedy,
        reason=fault.reason,
        ref=fault.ref,
        severity="error" if fault.is_mistake else "note",
    )
    if placeholder is None and is_template(document.text):
        told = diagnostic(path, document.locate(fault.path), message=_TEMPLATE, remedy=_RENDER_IT, severity="note")
    return Slot(fault.ref, None, told, (), placeholder)


def _readable(path: str, document: Document, *, content: Manifest) -> Slot:
    digest = digest_of(content.value)
    return readable(Item(content.ref, content.value, digest, path, document, content.path, content.created or ""))


def _note(path: str, document: Document, *, foreign: Foreign) -> list[Diagnostic]:
    if not foreign.note:
        return []
    place = document.locate(foreign.path)
    return [diagnostic(path, place, message=foreign.note, remedy="", reason=Reason.NO_EFFECT, severity="warning")]


def _remark(path: str, document: Document, *, content: Manifest) -> list[Diagnostic]:
    if content.created is not None:
        return []
    name = ("metadata", "creationTimestamp")
    place = document.locate((*content.path, *name))
    return [
        Diagnostic(
            severity="warning",
            file=path,
            line=place.line,
            column=place.column,
            object=str(content.ref),
            field=format_path(name),
            reason=Reason.INVALID,
            message=f"{format_path(name)} of {content.ref} is no time, so the object counts as just created.",
            remedy="Write it as the cluster does, for example 2026-01-31T12:00:00Z, or remove it.",
        )
    ]
