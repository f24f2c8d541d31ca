"""Placeholders for objects that cannot be read, so that what those restrict stays closed.

A placeholder is stored under the object's name as long as no form of the object could be read. ``translate`` takes it
for INVALID, with what its manifest says for sure: a policy closes the routes that it selects, a RouteTable its hosts.
Where nobody can tell what a policy selects, or whether a text is a policy at all, every route that no other
ExtAuthPolicy guards is closed (docs/decisions/0025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wardgate.api import KINDS
from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.problems import ObjectRef
from wardgate.standalone.objects.classification import GUARD, Classification, classify, is_like_guard, names_several
from wardgate.standalone.objects.creation_time import creation_time
from wardgate.standalone.objects.manifests import Fault, Manifest, identify
from wardgate.standalone.objects.slots import Item, Placeholder, digest_of
from wardgate.standalone.yaml.documents import BrokenDocument, Document

_API_VERSIONS: Final = {
    **{name: kind.api_version for name, kind in KINDS.items()},
    **{name: f"{kind.group}/{kind.version}" for name, kind in GUARDS.items()},
}
_EVERYWHERE: Final = ""
"""The namespace of a policy whose own is not known: it acts on all of them."""
_SELECTORS: Final = ("applyToRoutes", "applyToDestinations")
_LOST: Final = "\ufffd"
"""The character in the place of bytes that are no text."""
_EMPTY: Final = Document({}, "", 1)


def of_broken(document: BrokenDocument, judged: Classification, *, file: str) -> Placeholder | None:
    """The placeholder of a document that breaks off; None where no restriction is lost with it."""
    sure = certain(document.partial)
    several = names_several(document.text)
    ref = identify_broken(document.partial)
    if judged.may_guard and (ref is None or several):
        at = f"{file}:{document.place.line}"
        ref = ObjectRef(GUARD, _EVERYWHERE, at) if several else _unnamed(document.partial.get("kind"), sure, place=at)
    if ref is None or ref.kind not in _API_VERSIONS:
        return None
    spec = sure.get("spec")
    if _is_policy(ref.kind) and (several or not _selects_for_sure(spec, document)):
        spec = None
    readable = Document(None, document.text, document.first_line)
    return _placeholder(
        ref, sure, spec=spec, file=file, document=readable, is_sure=judged is not Classification.UNKNOWN
    )


def of_fault(fault: Fault, document: Document, *, file: str) -> Placeholder | None:
    """The placeholder of a manifest whose identity is at fault, with the rest of what it says."""
    if fault.inside:
        return _of_array(fault, document, file=file)
    kind = fault.value.get("kind")
    known = kind if isinstance(kind, str) else ""
    if fault.ref is not None and fault.ref.kind in _API_VERSIONS:
        ref = fault.ref
    elif is_like_guard(known) or (not known and fault.is_mistake and fault.value and _is_auth(fault.value)):
        ref = _unnamed(known, fault.value, place=f"{file}:{document.locate(fault.at).line}")
    else:
        return None
    return _placeholder(ref, fault.value, spec=fault.value.get("spec"), file=file, document=document, is_sure=True)


def _of_array(fault: Fault, document: Document, *, file: str) -> Placeholder | None:
    """One for all guards in an array; of a foreign kind only where every one is."""
    stood = [of_fault(one, document, file=file) for one in fault.inside if isinstance(one, Fault)]
    kinds = {one.item.ref.kind for one in stood if one is not None}
    kinds |= {one.ref.kind for one in fault.inside if isinstance(one, Manifest)}
    kind = GUARD if GUARD in kinds else min(kinds & GUARDS.keys(), default=None)
    if kind is None:
        return None
    ref = _unnamed(kind, {}, place=f"{file}:{document.locate(fault.path).line}")
    return _placeholder(ref, {}, spec=None, file=file, document=document, is_sure=True)


def of_file(file: str) -> Placeholder:
    """The placeholder of a file that cannot be looked at: it may hold anything."""
    return _placeholder(ObjectRef(GUARD, _EVERYWHERE, file), {}, spec=None, file=file, document=_EMPTY, is_sure=False)


def identify_broken(partial: Mapping[str, object]) -> ObjectRef | None:
    """Which object a document is about that breaks off; None where its namespace may have followed."""
    metadata = partial.get("metadata")
    is_open = [*partial][-1:] == ["metadata"]
    if is_open and isinstance(metadata, Mapping) and "namespace" not in metadata:
        return None
    return identify(partial)


def certain(partial: Mapping[str, object]) -> dict[str, object]:
    """The part of a broken document that is complete: every field that another one follows."""
    if not partial:
        return {}
    # The last field may have been cut off in the middle; of a map, only its last entry.
    *whole, (name, value) = partial.items()
    if isinstance(value, Mapping):
        whole.append((name, dict(list(value.items())[:-1])))
    return dict(whole)


def _placeholder(
    ref: ObjectRef, value: Mapping[str, object], *, spec: object, file: str, document: Document, is_sure: bool
) -> Placeholder:
    metadata = value.get("metadata")
    manifest: dict[str, Any] = {
        "apiVersion": _API_VERSIONS[ref.kind],
        "kind": ref.kind,
        "metadata": {
            **(metadata if isinstance(metadata, Mapping) else {}),
            "name": ref.name,
            "namespace": ref.namespace,
        },
        "spec": spec,
    }
    damage = _damage(ref, spec, is_sure=is_sure)
    digest = digest_of({"damage": damage, "manifest": manifest})
    created = creation_time(manifest["metadata"]) or ""
    return Placeholder(Item(ref, manifest, digest, file, document, (), created, damage), is_sure)


def _damage(ref: ObjectRef, spec: object, *, is_sure: bool) -> str:
    """Its cost, a sentence that begins with "Until then"."""
    if ref.kind == GUARD and not _selects(spec):
        what = "this is" if is_sure else "this may be"
        return f"Until then every route that no other {GUARD} guards is closed, because {what} one."
    if ref.kind in GUARDS:
        return (
            f"Until then it counts as a guard of {'the routes that it selects' if _selects(spec) else 'every route'}."
        )
    if _is_policy(ref.kind):
        return "Until then the routes that it selects are closed." if _selects(spec) else ""
    return "Until then its routes are closed." if ref.kind == "RouteTable" else "Until then nothing of it is served."


def _selects_for_sure(spec: object, document: BrokenDocument) -> bool:
    """Whether nothing that breaks off, or may follow, is a selector."""
    written = document.partial.get("spec")
    given = [name for name in written if name.startswith("applyTo")] if isinstance(written, Mapping) else []
    is_whole = isinstance(spec, Mapping) and all(name in spec for name in given)
    return is_whole and _selects(spec) and "applyTo" not in document.rest and _LOST not in repr(spec)


def _selects(spec: object) -> bool:
    return isinstance(spec, Mapping) and any(spec.get(name) for name in _SELECTORS)


def _is_auth(value: Mapping[str, object]) -> bool:
    """Whether an object that does not say its kind may be a guard, by its apiVersion or by what stands in it."""
    version, spec = value.get("apiVersion"), value.get("spec")
    if isinstance(version, str) and version:
        may_be = KINDS[GUARD].api_version.startswith(version)
    else:
        may_be = not isinstance(spec, Mapping) or spec.keys() <= {*_SELECTORS, "config"}
    return may_be or classify(repr(value)) is Classification.GUARD


def _is_policy(kind: str) -> bool:
    return kind in GUARDS or kind.endswith("Policy")


def _unnamed(kind: object, value: Mapping[str, object], *, place: str) -> ObjectRef:
    """The reference of a guard that has no name of its own."""
    metadata = value.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    known = kind if isinstance(kind, str) and kind in GUARDS else GUARD
    return ObjectRef(known, namespace if isinstance(namespace, str) else _EVERYWHERE, place)
