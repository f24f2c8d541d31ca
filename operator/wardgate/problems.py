"""A mistake in a user's object, as a value.

Pure packages return problems and never raise on user input: a problem becomes a status, an Event, a line of
``wardgate check``. A message is one sentence that names the object, the field and the remedy, and never holds a value
of a Secret.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
"""Where in a manifest: keys and list indices from the top, for example ``("spec", "listeners", 0, "port")``."""


class ProblemKind(StrEnum):
    """How much a problem costs its object."""

    ERROR = "error"
    """The object is INVALID: its last good form is served, or its routes are closed."""
    CONFLICT = "conflict"
    """The object is right but loses against an older one (status FAILED)."""
    WARNING = "warning"
    """The object is served; something in it has no effect or is surprising."""
    NOTE = "note"
    """Told and nothing more: the object is served as it is meant, and is ACCEPTED if it has nothing worse."""


class Reason(StrEnum):
    """The closed set of reasons, as they stand in conditions; the codes of findings, each with a page in ``codes/``."""

    INVALID = "Invalid"
    """A value breaks the schema or a rule of the kind."""
    UNKNOWN_FIELD = "UnknownField"
    UNKNOWN_KIND = "UnknownKind"
    UNREADABLE = "Unreadable"
    """The text is not YAML, or not a Kubernetes object."""
    UNSUPPORTED = "Unsupported"
    """The Gloo API has it, Wardgate does not implement it: an auth module, a protocol, a mode."""
    NO_EFFECT = "NoEffect"
    """Read and understood, but it changes no request here (for example ``failureModeAllow``)."""
    NOT_SERVED = "NotServed"
    """No request reaches the RouteTable."""
    REF_NOT_FOUND = "RefNotFound"
    REF_NOT_PERMITTED = "RefNotPermitted"
    """Tenancy or a setting forbids the reference."""
    NOT_ALLOWED = "NotAllowed"
    """The gateway, or the table above, does not let the table or the route stand there."""
    CONFLICTED = "Conflicted"
    """Another object, or another entry, has its place."""
    UNREACHABLE = "Unreachable"
    """Other matchers take or exclude the requests that the route is meant for."""
    HELD_BACK = "HeldBack"
    """Good, and not served before the rest of its tree is good."""
    DELEGATION_LOOP = "DelegationLoop"
    PORT_CONFLICT = "PortConflict"
    PORT_NOT_OFFERED = "PortNotOffered"
    """The proxies' Service has no such port, so that callers do not reach the listener."""
    TEMPLATE_ERROR = "TemplateError"
    REGEX_ERROR = "RegexError"
    BAD_SECRET = "BadSecret"  # noqa: S105 - a reason, not a password
    DUPLICATE_KEY = "DuplicateKey"
    EXPIRED_KEY = "ExpiredKey"
    NO_ROUTES = "NoRoutes"
    """The policy selects no route."""
    UNGUARDED = "Unguarded"
    """No ExtAuthPolicy guards a route: it is open by a likely mistake, or closed because a policy is demanded."""
    NO_KEYS = "NoKeys"
    """No usable key is selected: every request is refused."""
    UNUSED_KEY = "UnusedKey"
    TOKEN_WITHHELD = "TokenWithheld"  # noqa: S105 - a reason, not a password
    """The key is accepted, but its token may not go where the routes lead."""
    TOO_LARGE = "TooLarge"


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """One object of the cluster or the folder; prints as ``ExtAuthPolicy gloo-mesh-gateways/huggingface-apikey``."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Cause:
    """The origin of a problem that lies elsewhere. Problems of one cause make one finding of a report.

    ``subject`` is an object, there or not, or the name of a field that many objects have. ``field`` is the part of the
    object that is to blame, empty for all of it.
    """

    subject: ObjectRef | str
    field: FieldPath = ()

    @classmethod
    def of_field(cls, kind: str, path: FieldPath) -> Cause:
        """A field of all objects of a kind, wherever in its lists."""
        return cls(f"{kind} {'.'.join(part for part in path if isinstance(part, str))}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one object. ``field`` is empty where the object as a whole is meant.

    ``cause`` is None for a problem that stands for itself.
    """

    kind: ProblemKind
    reason: Reason
    message: str
    ref: ObjectRef
    field: FieldPath = ()
    cause: Cause | None = None


def format_path(path: FieldPath) -> str:
    """Write a path the way ``kubectl`` does: ``spec.listeners[0].port``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() or part.replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text
