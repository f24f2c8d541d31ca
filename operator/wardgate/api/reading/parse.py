"""From a manifest to a model, or to sentences that say why not. Total: no input raises.

Order of the checks: is it JSON; is it one of ours; do types, bounds and required fields fit; do the rules hold. Later
checks need the earlier ones, so one round of mistakes is reported at a time. Unknown fields are always reported.

References, templates, patterns and everything else that needs more than this one object is checked in ``translate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wardgate.api.kinds.foreign_kinds import ForeignKind
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE, KeySecret
from wardgate.api.kinds.plain_secret import PlainSecret
from wardgate.api.kinds.registry import Kind, Stranger, Unknown, look_up
from wardgate.api.kinds.secret import DEFAULT_TYPE, KNOWN_FIELDS, decode_entries
from wardgate.api.reading.complaints import complaint
from wardgate.api.reading.json_tree import find_flaw
from wardgate.api.reading.removal import removal_sentence
from wardgate.api.reading.unknown_fields import UnknownField, find_unknown, unknown_among
from wardgate.api.rules.meta import DEFAULT_NAMESPACE, ObjectMeta
from wardgate.api.rules.model import KubernetesObject
from wardgate.api.rules.rule_check import broken_rules
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path

MAX_REPORTED: Final = 50
"""Problems of one sort that are reported for one object."""

Model: TypeAlias = KubernetesObject | KeySecret | PlainSecret


@dataclass(frozen=True, slots=True)
class Parsed:
    """``model`` is None beside an error, and for objects that are not ours, which have no problems either."""

    model: Model | None
    problems: tuple[Problem, ...] = ()


def parse_object(manifest: Mapping[str, object]) -> Parsed:
    """Read one object of any kind."""
    ref = identify(manifest)
    flaw = find_flaw(manifest)
    if flaw is not None:
        return Parsed(None, (_error(ref, flaw.path, rest=flaw.complaint, reason=Reason.UNREADABLE),))
    api_version, kind = manifest.get("apiVersion"), manifest.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return Parsed(None, (_no_object(ref, api_version),))
    if (api_version, kind) == ("v1", "Secret"):
        return _parse_secret(manifest, ref)
    return _parse_known(manifest, look_up(api_version, kind), ref=ref)


def identify(manifest: Mapping[str, object]) -> ObjectRef:
    """Which object a manifest is about, as far as it says; "?" stands for what it does not say."""
    metadata = manifest.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    namespace = named.get("namespace")
    return ObjectRef(
        kind=_shown(manifest.get("kind")),
        namespace=DEFAULT_NAMESPACE if namespace in (None, "") else _shown(namespace),
        name=_shown(named.get("name")),
    )


def _parse_known(
    manifest: Mapping[str, object], known: Kind | ForeignKind | Stranger | Unknown, *, ref: ObjectRef
) -> Parsed:
    match known:
        case Kind():
            return _parse_kind(manifest, known, ref=ref)
        case ForeignKind():
            return Parsed(None, (_foreign(ref, known),))
        case Unknown(advice):
            message = f"{ref} has apiVersion {_shown(manifest['apiVersion'])}. {advice}"
            return Parsed(None, (Problem(ProblemKind.ERROR, Reason.UNKNOWN_KIND, message, ref, ("apiVersion",)),))
        case _:
            return Parsed(None)


def _shown(value: object) -> str:
    """A name fit for a message, whatever somebody put in its place."""
    return value if isinstance(value, str) and 0 < len(value) <= 253 and value.isprintable() else "?"


def _parse_kind(manifest: Mapping[str, object], kind: Kind, *, ref: ObjectRef) -> Parsed:
    warnings = _unknown_fields(ref, find_unknown(manifest, kind.model))
    try:
        model = kind.model.model_validate(dict(manifest))
    except ValidationError as error:
        return Parsed(None, (*_invalid(ref, error.errors(include_url=False)), *warnings))
    broken = [
        Problem(ProblemKind.ERROR, Reason.INVALID, f"{ref}, {format_path(path)}: {rule.message}", ref, path)
        for path, rule in broken_rules(model)
    ]
    return Parsed(None if broken else model, (*broken[:MAX_REPORTED], *warnings))


def _parse_secret(manifest: Mapping[str, object], ref: ObjectRef) -> Parsed:
    warnings = _unknown_fields(ref, unknown_among(manifest, KNOWN_FIELDS))
    data, bad = decode_entries(manifest)
    problems = [_error(ref, entry.path, rest=entry.complaint, reason=Reason.BAD_SECRET) for entry in bad[:MAX_REPORTED]]
    kind = manifest.get("type")
    if kind is not None and not isinstance(kind, str):
        problems.append(_error(ref, ("type",), rest="must be a text; put it in quotes", reason=Reason.BAD_SECRET))
    try:
        metadata = ObjectMeta.model_validate(manifest.get("metadata"))
    except ValidationError as error:
        invalid = _invalid(ref, error.errors(include_url=False), prefix=("metadata",))
        return Parsed(None, (*invalid, *problems, *warnings))
    if problems:
        return Parsed(None, (*problems, *warnings))
    if kind == KEY_SECRET_TYPE:
        return Parsed(KeySecret(metadata, KEY_SECRET_TYPE, data), warnings)
    return Parsed(PlainSecret(metadata, str(kind or DEFAULT_TYPE), data), warnings)


def _invalid(ref: ObjectRef, errors: list[ErrorDetails], *, prefix: FieldPath = ()) -> list[Problem]:
    return [
        _error(ref, (*prefix, *error["loc"]), rest=complaint(error), reason=Reason.INVALID)
        for error in errors[:MAX_REPORTED]
        if not _follows(error, errors)
    ]


def _follows(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """A list counts as empty if its only entries are wrong: that is said already."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == error["loc"] for other in errors
    )


def _error(ref: ObjectRef, path: FieldPath, *, rest: str, reason: Reason) -> Problem:
    stop = "" if rest.endswith("?") else "."
    message = f"{ref}: {format_path(path) or 'the object'} {rest}{stop}"
    return Problem(ProblemKind.ERROR, reason, message, ref, path)


def _unknown_fields(ref: ObjectRef, unknown: Iterable[UnknownField]) -> tuple[Problem, ...]:
    return tuple(_unknown_field(ref, one) for one in islice(unknown, MAX_REPORTED))


def _unknown_field(ref: ObjectRef, unknown: UnknownField) -> Problem:
    remedy = f"Did you mean {unknown.nearest}?"
    if unknown.nearest is None:
        remedy = removal_sentence(unknown.path, alone=unknown.alone)
    message = f"{ref}: {format_path(unknown.path)} is not a field of this kind and has no effect. {remedy}"
    cause = Cause.of_field(ref.kind, unknown.path)
    return Problem(ProblemKind.WARNING, Reason.UNKNOWN_FIELD, message, ref, unknown.path, cause)


def _no_object(ref: ObjectRef, api_version: object) -> Problem:
    field = "kind" if isinstance(api_version, str) else "apiVersion"
    message = f"{ref} is not a Kubernetes object: it has no {field}. Add apiVersion and kind, or remove the document."
    return Problem(ProblemKind.ERROR, Reason.UNREADABLE, message, ref, (field,))


def _foreign(ref: ObjectRef, kind: ForeignKind) -> Problem:
    why = kind.loss or "it is nothing to a gateway"
    return Problem(ProblemKind.WARNING, Reason.UNSUPPORTED, f"{ref} has no effect: {why}.", ref)
