"""Every Secret that is no key: certificates, authorities, shared secrets. Several spellings of entries are in use."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.api.secret import Secret
from wardgate.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class PlainSecret(Secret):
    """A Secret that gateways and policies refer to by name. What it lacks is None."""

    @property
    def certificate(self) -> Sensitive | None:
        """Certificate chain in PEM."""
        return self.first("tls.crt", "cert")

    @property
    def private_key(self) -> Sensitive | None:
        """Private key in PEM."""
        return self.first("tls.key", "key")

    @property
    def authorities(self) -> Sensitive | None:
        """Certificates of authorities in PEM."""
        return self.first("ca.crt", "cacert")

    @property
    def revocations(self) -> Sensitive | None:
        """List of revoked certificates in PEM."""
        return self.first("ca.crl", "crl")

    @property
    def shared_secret(self) -> Sensitive | None:
        """Shared secret of an HMAC: under a usual name, or else the only entry there is."""
        named = self.first("shared-secret", "sharedSecret", "hmac", "secret", "password")
        if named is None and len(self.data) == 1:
            return next(iter(self.data.values()))
        return named
