"""One caller's key, as its digest, and the provider's token that replaces it."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """One further entry of the key's Secret, for example a provider's token.

    ``legal_header`` False: the value breaks the rules for header values and is refused, not sent.
    """

    name: str
    value: Sensitive
    legal_header: bool = True


@dataclass(frozen=True, slots=True)
class Credential:
    """``(key_set, digest)`` is unique in a config. ``digest`` is 64 lower-case hexadecimal digits.

    ``expires_at`` in unix seconds, None never. ``allowed_hosts`` None: not bound; otherwise lower-case names.
    ``shared_with``: the tenants (``Route.owner``) other than ``namespace`` on whose routes it may be used.
    """

    key_set: str
    digest: str
    namespace: str
    name: str
    expires_at: int | None = None
    allowed_hosts: tuple[str, ...] | None = None
    shared_with: tuple[str, ...] = ()
    metadata: tuple[MetadataEntry, ...] = ()
