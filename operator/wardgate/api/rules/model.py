"""The base of every model of the API: frozen, strictly typed, absent and empty kept apart.

How the two are told apart, field by field:

* where absence means something, the type is ``X | None``: None is absent (or null), ``()`` and ``{}`` are empty;
* elsewhere the default stands for both absent and null, because the API server drops a null of these kinds.

Nothing is coerced: ``"80"`` is no number and ``true`` is no text, as for the API server. Unknown fields are ignored
here and reported by ``parse``.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from wardgate.api.rules.meta import ObjectMeta
from wardgate.api.rules.rules import Rule, json_name
from wardgate.problems import ObjectRef

JsonObject: TypeAlias = dict[str, Any]
"""A part of a manifest that is kept as it is."""


class ApiModel(BaseModel):
    """A part of an object. ``RULES`` join several of its fields; ``OPEN`` keeps fields it does not name."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        alias_generator=json_name,
        validate_by_alias=True,
        validate_by_name=False,
        protected_namespaces=(),
    )

    RULES: ClassVar[tuple[Rule, ...]] = ()
    OPEN: ClassVar[bool] = False


class OpenModel(ApiModel):
    """A part that Wardgate does not act on: its known fields, and whatever else the user wrote."""

    OPEN: ClassVar[bool] = True


class KubernetesObject(ApiModel):
    """One object of a kind; ``spec`` is declared by each kind. The status is written, never read."""

    api_version: str = Field(description="Group and version of the kind.")
    kind: str = Field(description="Name of the kind.")
    metadata: ObjectMeta = Field(description="Name, namespace and labels of the object.")

    @property
    def ref(self) -> ObjectRef:
        """The object, for messages."""
        return ObjectRef(self.kind, self.metadata.namespace, self.metadata.name)
