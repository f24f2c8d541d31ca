"""Where our kinds are found on the API server. Apart from ``resources``: a proxy asks for none of them."""

from __future__ import annotations

from wardgate.api import KINDS
from wardgate.kube.resources import SECRETS, Resource


def resource_of(kind: str) -> Resource:
    """One of our kinds, or ``Secret``. Raises ``KeyError`` for others."""
    if kind == SECRETS.kind:
        return SECRETS
    known = KINDS[kind]
    return Resource(known.kind, known.group, known.version, known.plural)
