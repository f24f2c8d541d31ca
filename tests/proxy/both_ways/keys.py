"""The keys of a conversation's callers: good ones, one that ends, bound and shared ones."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from wardgate.ir import Credential, MetadataEntry, TokenSource
from wardgate.sensitive import Sensitive

GOOD, SECOND, EXPIRING, BOUND = b"caller-key-good", b"caller-key-second", b"caller-key-expiring", b"caller-key-bound"
HMACED, DIGEST, TENANTS, SHARED = b"caller-key-hmac", b"caller-key-digest", b"caller-key-tenant", b"caller-key-shared"
PERCENT, BARE, WRONG = b"caller%2Fkey/odd", b"caller-key-bare", b"caller-key-wrong"
SOURCED, SOURCELESS = b"caller-key-sourced", b"caller-key-sourceless"
NEAR, FAR = b"caller-key-near", b"caller-key-far"
KEYS = (
    GOOD,
    SECOND,
    EXPIRING,
    BOUND,
    HMACED,
    DIGEST,
    TENANTS,
    SHARED,
    PERCENT,
    BARE,
    WRONG,
    SOURCED,
    SOURCELESS,
    NEAR,
    FAR,
)
HMAC_SECRET = "shared-secret"


def _credential(name: str, key: bytes, *, token: str, **metadata: str) -> Credential:
    entries = {"token": token, **metadata}
    return Credential(
        "users",
        sha256(key).hexdigest(),
        "default",
        name,
        metadata=tuple(MetadataEntry(entry, Sensitive(value)) for entry, value in sorted(entries.items())),
    )


def _all(*, token: str, expires_at: int) -> Iterator[Credential]:
    good = _credential("good", GOOD, token=token, team="red", org="o-1")
    yield good
    yield replace(good, key_set="bearers")
    yield _credential("second", SECOND, token=f"{token}-2", org="o-2")
    yield replace(_credential("second", SECOND, token=f"{token}-2"), key_set="seconds")
    yield replace(_credential("expiring", EXPIRING, token=token, org="o-3"), expires_at=expires_at)
    yield replace(_credential("bound", BOUND, token=token), allowed_hosts=("hf.example",))
    made = hmac.new(HMAC_SECRET.encode(), HMACED, "sha256").hexdigest()
    yield replace(_credential("hmac", HMACED, token=token), key_set="hmacs", digest=made)
    yield replace(_credential("digest", DIGEST, token=token, **{"x-team": "red"}), key_set="digests")
    yield replace(_credential("tenants", TENANTS, token=token), key_set="tenants", namespace="tenant")
    yield replace(_credential("shared", SHARED, token=token), key_set="tenants", shared_with=("tenant",))
    yield replace(_credential("unshared", GOOD, token=token), key_set="tenants")
    yield _credential("percent", PERCENT, token=token, team="blue")
    yield replace(_credential("bare", BARE, token=token), metadata=())
    yield replace(_credential("sourced", SOURCED, token=token), metadata=(), metadata_from="default/provider")
    yield replace(_credential("sourced", SOURCED, token=token), key_set="tenants", metadata_from="default/provider")
    yield replace(_credential("near", NEAR, token=token), allowed_from=("198.51.100.0/24", "2001:db8::/32"))
    yield replace(_credential("far", FAR, token=token), allowed_from=("10.0.0.0/8",))
    yield replace(_credential("sourceless", SOURCELESS, token=token), metadata_from="default/nobody")


NAMES = frozenset(credential.name for credential in _all(token="", expires_at=0))


def credentials(names: frozenset[str], *, token: str, expires_at: int, confined: bool = False) -> list[Credential]:
    """Return the credentials of these names; ``token`` is the provider's, ``expires_at`` the end of one that ends.

    ``confined``: what some of their owners allow is less.
    """
    found = [one for one in _all(token=token, expires_at=expires_at) if one.name in names]
    return [_confined(one) for one in found] if confined else found


def sources(names: frozenset[str], *, token: str) -> tuple[TokenSource, ...]:
    """Return what keys take from, which is there for as long as one of its keys is."""
    entries = (MetadataEntry("org", Sensitive("o-1")), MetadataEntry("token", Sensitive(f"{token}-3")))
    return (TokenSource("default", "provider", entries, shared_with=("tenant",)),) if "sourced" in names else ()


def _confined(credential: Credential) -> Credential:
    """The same key, whose token goes to another host alone and is shared with nobody."""
    if credential.name == "good":
        return replace(credential, allowed_hosts=("elsewhere.example",))
    return replace(credential, shared_with=())
