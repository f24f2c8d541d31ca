"""Warnings about a Secret that is no usable key, or a useless one.

A Secret has no status, so these reach people through the policies that select it, the log and ``wardgate check``. No
warning quotes the content of a Secret, and none tells a tenant of Secrets or policies in other tenants' namespaces.
"""

from __future__ import annotations

from typing import Final

from wardgate.api.kinds.annotations import SHARE_WITH, UPSTREAM_HOSTS, AnnotationError
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

_LONGEST_TYPE: Final = 100
_SHARING: Final = ("metadata", "annotations", SHARE_WITH)


def refused(ref: ObjectRef, key: RefusedKey) -> Problem:
    """The Secret's content is no usable key."""
    return _warning(ref, key.reason, message=f"{ref} is not used as a key: {key.complaint}.", field=key.field)


def missing(ref: ObjectRef, sight: Sight) -> Problem:
    """A policy names the Secret, and it does not exist, or is not read."""
    reason, absence = sight.absence(ref)
    remedy = ". Create it" if reason is Reason.REF_NOT_FOUND else ", move the Secret"
    return _warning(ref, reason, message=f"{ref} {absence}{remedy}, or take it out of apiKeySecretRefs.")


def mistyped(ref: ObjectRef, kind: str) -> Problem:
    """A policy means the Secret, and its type is not that of keys. The type of a Secret cannot be changed."""
    shown = kind if len(kind) <= _LONGEST_TYPE and kind.isprintable() else "another type"
    message = (
        f"{ref} is not used as a key: it is of type {shown}; only {KEY_SECRET_TYPE} counts; recreate it with that type."
    )
    return _warning(ref, Reason.BAD_SECRET, message=message, field=("type",))


def duplicate(loser: ObjectRef, winner: ObjectRef, *, tenancy: Tenancy) -> Problem:
    """An older Secret of the same set holds the same key."""
    may_know = not tenancy.isolated or loser.namespace == winner.namespace
    other = str(winner) if may_know else "a Secret of another namespace"
    message = f"{loser} holds the same key as {other}, which is older and counts. Give every caller a key of their own."
    return _warning(loser, Reason.DUPLICATE_KEY, message=message)


def unshared(ref: ObjectRef, tenant: str) -> Problem:
    """A platform's Secret would count for a tenant's policy if its owner had shared it with the tenant."""
    message = (
        f"{ref} is selected by a policy of namespace {tenant} and not used there: it is not shared with it. If it is "
        f"meant to be, list {tenant} in its annotation {SHARE_WITH}; otherwise nothing is to be done."
    )
    return _warning(ref, Reason.REF_NOT_PERMITTED, message=message, field=_SHARING)


def misshared(ref: ObjectRef, error: AnnotationError) -> Problem:
    """The list of tenants that the Secret is shared with cannot be read."""
    message = f"{ref} is shared with nobody: its annotation {SHARE_WITH} must be {error.expected}. Correct it."
    return _warning(ref, Reason.NO_EFFECT, message=message, field=_SHARING)


def shared_in_vain(ref: ObjectRef) -> Problem:
    """A Secret outside the platform is shared, and only a platform's can be."""
    message = (
        f"{ref} is shared with nobody: its annotation {SHARE_WITH} has no effect outside the platform's namespaces. "
        "Remove it."
    )
    return _warning(ref, Reason.NO_EFFECT, message=message, field=_SHARING)


def unused(ref: ObjectRef, tenancy: Tenancy) -> Problem:
    """No policy selects the Secret for which it counts."""
    message = f"{ref} is selected by no policy: its key opens nothing. Label it as a policy's labelSelector asks."
    if not tenancy.is_platform(ref.namespace):
        message = (
            f"{ref} is selected by no policy of its namespace, and under isolated tenancy it counts for no other: its "
            "key opens nothing. Move it to the namespace of its policy, or correct its labels."
        )
    return _warning(ref, Reason.UNUSED_KEY, message=message)


def leads_nowhere(ref: ObjectRef) -> Problem:
    """The Secret is bound to hosts that none of its routes leads to."""
    message = (
        f"{ref} is bound to hosts by {UPSTREAM_HOSTS}, and no route that its key opens leads to these hosts alone, "
        "over verified TLS and with one of them as Host: every request with the key is refused. Correct the list, "
        "or the routes' destinations, hostRewrite or autoHostRewrite."
    )
    return _warning(ref, Reason.TOKEN_WITHHELD, message=message, field=("metadata", "annotations", UPSTREAM_HOSTS))


def _warning(ref: ObjectRef, reason: Reason, *, message: str, field: FieldPath = ()) -> Problem:
    return Problem(ProblemKind.WARNING, reason, message, ref, field)
