"""The Secret that is a caller's key: the key itself, and what travels with whoever shows it.

Whether a key is usable (empty, expired, a duplicate) is decided in ``translate``; here it is only found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.secret import Secret

KEY_SECRET_TYPE: Final = "extauth.solo.io/apikey"  # noqa: S105 - a type, not a password
KEY_ENTRY: Final = "api-key"
"""The entry that holds the key, whatever header callers send it in."""


@dataclass(frozen=True, slots=True)
class KeySecret(Secret):
    """A Secret of the type ``extauth.solo.io/apikey``."""
