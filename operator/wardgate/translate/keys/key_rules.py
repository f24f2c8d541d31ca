"""The installation's rules for all keys."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The rules. ``limit``: bytes of one credential, and of one source of metadata."""

    limit: int
    tenancy: Tenancy
    sight: Sight
