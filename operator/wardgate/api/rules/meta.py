"""Who an object is: the part of ``metadata`` that Wardgate reads.

The fields that the API server writes there (versions, times, managed fields, owners) are known and left alone: a source
of objects that has a use for them reads them itself, and a manifest that was exported with them means the same as one
without.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from wardgate.api.rules.rules import json_name

DEFAULT_NAMESPACE: Final = "default"
"""Where ``kubectl apply`` puts an object without a namespace, unless the context says otherwise."""

PASSIVE_FIELDS: Final = frozenset(
    {
        "clusterName", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
        "generateName", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid",
    }
)  # fmt: skip
"""Fields of ``metadata`` that Kubernetes defines and no model reads."""

_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_LABEL: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

NAME_PATTERNS: Final[dict[str, str]] = {
    _SUBDOMAIN: "a name of lower-case letters, digits, dots and hyphens that begins and ends with a letter or digit",
    _LABEL: "a name of lower-case letters, digits and hyphens that begins and ends with a letter or digit",
}
"""The words for a name that breaks a pattern: the form it should have had."""


def _no_null_map(value: object) -> object:
    return {} if value is None else value


def _default_namespace(value: object) -> object:
    return DEFAULT_NAMESPACE if value in (None, "") else value


_Texts: TypeAlias = Annotated[dict[str, str], BeforeValidator(_no_null_map)]


class ObjectMeta(BaseModel):
    """Identity and labels of one object."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=json_name)

    name: str = Field(min_length=1, max_length=253, pattern=_SUBDOMAIN)
    namespace: Annotated[str, Field(max_length=63, pattern=_LABEL), BeforeValidator(_default_namespace)] = (
        DEFAULT_NAMESPACE
    )
    labels: _Texts = Field({}, repr=False)
    annotations: _Texts = Field({}, repr=False)
