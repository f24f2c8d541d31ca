"""The Secret that holds a provider's token once, for all callers' keys that take from it.

Its entries have the names that policies ask for in ``headersFromMetadataEntry``. Key Secrets name it in the annotation
``wardgate.dev/metadata-from``.
"""

from __future__ import annotations

from typing import Final

PROVIDER_TOKEN_TYPE: Final = "wardgate.dev/provider-token"  # noqa: S105 - a type, not a password
