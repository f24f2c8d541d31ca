"""The Secret that is a caller's key: the key itself, and what travels with whoever shows it.

Whether a key is usable (empty, expired, a duplicate) is decided in ``translate``; here it is only found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wardgate.api.secret import Secret
from wardgate.sensitive import Sensitive

KEY_SECRET_TYPE: Final = "extauth.solo.io/apikey"  # noqa: S105 - a type, not a password
KEY_ENTRY: Final = "api-key"
"""The entry that holds the key, whatever header callers send it in."""


@dataclass(frozen=True, slots=True)
class KeySecret(Secret):
    """A Secret of the type ``extauth.solo.io/apikey``."""

    @property
    def key(self) -> Sensitive | None:
        """The caller's key; None if the entry is missing."""
        return self.data.get(KEY_ENTRY)

    @property
    def entries(self) -> Mapping[str, Sensitive]:
        """Every other entry: what ``headersFromMetadataEntry`` may put on a request."""
        return {name: value for name, value in self.data.items() if name != KEY_ENTRY}
