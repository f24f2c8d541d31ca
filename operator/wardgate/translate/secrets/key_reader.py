"""The meaning of one key Secret: digest, expiry, the hosts it is bound to, the tenants it is shared with, metadata.

The rules for entries and restrictions stand in ``entries``. The key sets that a Secret belongs to are decided in
``keys``, and so is what becomes of a key whose source of further metadata is not there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.annotations import (
    ALLOW_FROM,
    EXPIRES_AT,
    METADATA_FROM,
    AnnotationError,
    parse_networks,
    parse_secret_name,
    parse_time,
)
from wardgate.api.kinds.key_secret import KEY_ENTRY
from wardgate.ir import MetadataEntry
from wardgate.problems import Reason
from wardgate.translate.contract import KeyForm
from wardgate.translate.secrets.entries import (
    ILLEGAL,
    RefusedKey,
    read_hosts,
    read_metadata,
    read_sharing,
    refused_annotation,
    size_of,
    too_large,
)
from wardgate.translate.secrets.secret_references import DecodedSecret, strip_newline

_HEX_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NO_METADATA: Final = frozenset({KEY_ENTRY})
_NO_KEY_AT_ALL: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class UsableKey:
    """The meaning of one Secret in every key set of one form.

    ``shared_with``: the tenants whose policies may use the key, if it is the platform's. ``sharing_fault``: the reason
    why it is shared with nobody. ``metadata_from`` and ``allowed_from``: as in
    ``Credential``.
    """

    digest: str
    expires_at: int | None
    allowed_hosts: tuple[str, ...] | None
    metadata: tuple[MetadataEntry, ...]
    shared_with: tuple[str, ...] = ()
    sharing_fault: AnnotationError | None = None
    metadata_from: str = ""
    allowed_from: tuple[str, ...] | None = None


def read_key(secret: DecodedSecret, *, form: KeyForm, limit: int) -> UsableKey | RefusedKey:
    """Read one Secret of the key type. ``limit``: bytes of all its entries, names included."""
    if secret.fault:
        return RefusedKey(Reason.BAD_SECRET, secret.fault, secret.fault_field)
    digest = _digest(secret, form)
    if isinstance(digest, RefusedKey):
        return digest
    terms = _terms(secret)
    if isinstance(terms, RefusedKey):
        return terms
    metadata = tuple(read_metadata(secret, besides=_NO_METADATA))
    size = len(KEY_ENTRY) + len(digest) + size_of(metadata)
    if size > limit:
        return too_large(size, limit)
    return UsableKey(
        digest,
        terms.expires_at,
        terms.hosts,
        metadata,
        *read_sharing(secret),
        metadata_from=terms.source,
        allowed_from=terms.networks,
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """The restrictions of a key, and where its further metadata come from."""

    expires_at: int | None
    hosts: tuple[str, ...] | None
    source: str
    networks: tuple[str, ...] | None


def _terms(secret: DecodedSecret) -> _Terms | RefusedKey:
    """The annotations; the first one that cannot be read refuses the key."""
    expires_at, hosts, source, networks = _expiry(secret), read_hosts(secret), _source(secret), _networks(secret)
    if isinstance(expires_at, RefusedKey):
        return expires_at
    if isinstance(hosts, RefusedKey):
        return hosts
    if isinstance(source, RefusedKey):
        return source
    return networks if isinstance(networks, RefusedKey) else _Terms(expires_at, hosts, source, networks)


def _digest(secret: DecodedSecret, form: KeyForm) -> str | RefusedKey:
    if KEY_ENTRY in secret.unreadable:
        return _refused(f'its entry "{KEY_ENTRY}" is not UTF-8 text')
    entry = secret.data.get(KEY_ENTRY)
    if entry is None:
        return _refused(f'it has no entry "{KEY_ENTRY}"')
    text = strip_newline(entry.reveal())
    if not text:
        return _refused(f'its entry "{KEY_ENTRY}" is empty')
    match form:
        case KeyForm.PLAIN:
            return _digest_of_key(text)
        case KeyForm.SHA256:
            return _stored_digest(text) or _refused(
                f'its entry "{KEY_ENTRY}" is not a SHA-256 in 64 hexadecimal digits, as the policy\'s "digest" demands'
            )
        case KeyForm.HMAC_SHA256:
            return (
                _stored_digest(text)
                or _stored_base64(text)
                or _refused(
                    f'its entry "{KEY_ENTRY}" is not an HMAC-SHA-256 in 64 hexadecimal digits or in base64, as the '
                    f'policy\'s "hmac" demands'
                )
            )


def _digest_of_key(text: str) -> str | RefusedKey:
    if ILLEGAL.search(text):
        return _refused(f'its entry "{KEY_ENTRY}" holds a line break or another character that no header can carry')
    if text != text.strip(" \t"):
        return _refused(f'its entry "{KEY_ENTRY}" begins or ends with a blank, which no header can carry')
    return hashlib.sha256(text.encode()).hexdigest()


def _stored_digest(text: str) -> str | None:
    """Hexadecimal digits of either case. The digest of the empty text is refused: no header ever holds that key."""
    digest = text.lower()
    return digest if _HEX_DIGEST.fullmatch(digest) and digest != _NO_KEY_AT_ALL else None


def _stored_base64(text: str) -> str | None:
    """``openssl dgst -binary | base64`` writes 44 characters, which no hexadecimal digest has."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None


def _expiry(secret: DecodedSecret) -> int | RefusedKey | None:
    """The expiry in Unix seconds."""
    text = secret.annotations.get(EXPIRES_AT)
    if text is None:
        return None
    time = parse_time(text)
    if isinstance(time, AnnotationError):
        return refused_annotation(EXPIRES_AT, time.expected)
    return time


def _source(secret: DecodedSecret) -> str | RefusedKey:
    """The id of the source that gives it further entries; empty if it names none."""
    text = secret.annotations.get(METADATA_FROM)
    if text is None:
        return ""
    named = parse_secret_name(text, namespace=secret.stored.ref.namespace)
    return refused_annotation(METADATA_FROM, named.expected) if isinstance(named, AnnotationError) else "/".join(named)


def _networks(secret: DecodedSecret) -> tuple[str, ...] | RefusedKey | None:
    """The networks that the key may be sent from."""
    text = secret.annotations.get(ALLOW_FROM)
    networks = None if text is None else parse_networks(text)
    return refused_annotation(ALLOW_FROM, networks.expected) if isinstance(networks, AnnotationError) else networks


def _refused(complaint: str) -> RefusedKey:
    return RefusedKey(Reason.BAD_SECRET, complaint, ("data", KEY_ENTRY))
