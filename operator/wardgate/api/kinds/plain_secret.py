"""Every Secret that is no key: certificates, authorities, shared secrets.

The meaning of its entries depends on who refers to it, so ``translate`` decides on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.api.kinds.secret import Secret


@dataclass(frozen=True, slots=True)
class PlainSecret(Secret):
    """A Secret that gateways and policies refer to by name."""
