"""Every Secret that is no key: certificates, authorities, shared secrets.

What its entries mean depends on who refers to it, so it is decided in ``translate``.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.api.kinds.secret import Secret


@dataclass(frozen=True, slots=True)
class PlainSecret(Secret):
    """A Secret that gateways and policies refer to by name."""
