"""The resources of the kinds that an operator reads, apart from ``resources``: a proxy asks for none of them."""

from __future__ import annotations

from typing import Final

from wardgate.api import KINDS
from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.kube.api.resources import SECRETS, Resource

READ_KINDS: Final = (*KINDS, *GUARDS)
"""The kinds that the operator reads: ours, and the foreign ones that close routes."""


def resource_of(kind: str) -> Resource:
    """A kind that the operator reads, or ``Secret``. Raises ``KeyError`` for others."""
    if kind == SECRETS.kind:
        return SECRETS
    known = KINDS.get(kind) or GUARDS[kind]
    return Resource(known.kind, known.group, known.version, known.plural)
