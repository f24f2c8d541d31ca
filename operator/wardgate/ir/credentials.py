"""One caller's key, as its digest, and the provider's token that replaces it.

The token stands beside the key, or once for many keys in a ``TokenSource`` that they name: a changed token rewrites no
credential.
"""

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
    ``metadata_from``: the ``TokenSource.id`` that gives further metadata; the key opens nothing without that source.
    Entries of its own win. ``allowed_from``: the networks that it may be sent from, None any.
    """

    key_set: str
    digest: str
    namespace: str
    name: str
    expires_at: int | None = None
    allowed_hosts: tuple[str, ...] | None = None
    shared_with: tuple[str, ...] = ()
    metadata: tuple[MetadataEntry, ...] = ()
    metadata_from: str = ""
    allowed_from: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Metadata for all keys that name it, held once. ``(namespace, name)`` is unique in a config.

    ``allowed_hosts`` as ``Credential.allowed_hosts``. ``shared_with``: the namespaces other than its own whose keys may
    take from it, and on whose routes (``Route.owner``) what it gives may be used.
    """

    namespace: str
    name: str
    metadata: tuple[MetadataEntry, ...]
    allowed_hosts: tuple[str, ...] | None = None
    shared_with: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name under which keys ask for it."""
        return f"{self.namespace}/{self.name}"

    def serves(self, namespace: str) -> bool:
        """Whether keys of a namespace may take from it."""
        return namespace == self.namespace or namespace in self.shared_with
