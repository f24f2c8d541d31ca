"""The meaning of one key Secret: digest, expiry, the hosts it is bound to, the tenants it is shared with, metadata.

A restriction that cannot be read refuses the key. A list of tenants that cannot be read shares it with nobody. Useless
entries are left out. A complaint names entries and annotations, never their content. The key sets that a Secret belongs
to are decided in ``keys``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.annotations import (
    EXPIRES_AT,
    SHARE_WITH,
    UPSTREAM_HOSTS,
    AnnotationError,
    parse_list,
    parse_namespaces,
    parse_time,
)
from wardgate.api.kinds.key_secret import KEY_ENTRY
from wardgate.http_grammar import UNSENDABLE
from wardgate.ir import MetadataEntry
from wardgate.problems import FieldPath, Reason
from wardgate.sensitive import Sensitive
from wardgate.translate.contract import KeyForm
from wardgate.translate.secrets.secret_references import DecodedSecret, strip_newline

_HEX_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ILLEGAL: Final = re.compile(f"[{UNSENDABLE}]")
"""Characters that RFC 9110, section 5.5, excludes from header values."""
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_NO_TEXT: Final = "\0"
"""Replaces an entry that is not UTF-8: present, but neither sent nor equal to any header."""
_ANNOTATIONS: Final = ("metadata", "annotations")
_NO_KEY_AT_ALL: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class UsableKey:
    """The meaning of one Secret in every key set of one form.

    ``shared_with``: the tenants whose policies may use the key, if it is the platform's. ``sharing_fault``: the reason
    why it is shared with nobody.
    """

    digest: str
    expires_at: int | None
    allowed_hosts: tuple[str, ...] | None
    metadata: tuple[MetadataEntry, ...]
    shared_with: tuple[str, ...] = ()
    sharing_fault: AnnotationError | None = None


@dataclass(frozen=True, slots=True)
class RefusedKey:
    """The reason why a Secret is no key. ``complaint`` continues the sentence "Secret x/y is not used as a key: "."""

    reason: Reason
    complaint: str
    field: FieldPath


def read_key(secret: DecodedSecret, *, form: KeyForm, limit: int) -> UsableKey | RefusedKey:
    """Read one Secret of the key type. ``limit``: bytes of all its entries, names included."""
    if secret.fault:
        return RefusedKey(Reason.BAD_SECRET, secret.fault, secret.fault_field)
    digest = _digest(secret, form)
    if isinstance(digest, RefusedKey):
        return digest
    expires_at = _expiry(secret)
    if isinstance(expires_at, RefusedKey):
        return expires_at
    hosts = _hosts(secret)
    if isinstance(hosts, RefusedKey):
        return hosts
    metadata = tuple(_metadata(secret))
    size = len(KEY_ENTRY) + len(digest) + sum(len(f"{entry.name}{entry.value.reveal()}".encode()) for entry in metadata)
    if size > limit:
        complaint = f"its entries make {size} bytes, and at most {limit} are allowed"
        return RefusedKey(Reason.TOO_LARGE, complaint, ("data",))
    return UsableKey(digest, expires_at, hosts, metadata, *_sharing(secret))


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
    if _ILLEGAL.search(text):
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
        return _refused(f"its annotation {EXPIRES_AT} must be {time.expected}", (*_ANNOTATIONS, EXPIRES_AT))
    return time


def _hosts(secret: DecodedSecret) -> tuple[str, ...] | RefusedKey | None:
    text = secret.annotations.get(UPSTREAM_HOSTS)
    if text is None:
        return None
    hosts = parse_list(text)
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        complaint = f"its annotation {UPSTREAM_HOSTS} must list names of hosts, such as api.openai.com"
        return _refused(complaint, (*_ANNOTATIONS, UPSTREAM_HOSTS))
    return tuple(sorted(hosts))


def _sharing(secret: DecodedSecret) -> tuple[tuple[str, ...], AnnotationError | None]:
    """The tenants that the Secret is shared with, and the error that keeps it from being shared."""
    text = secret.annotations.get(SHARE_WITH)
    tenants = () if text is None else parse_namespaces(text)
    return ((), tenants) if isinstance(tenants, AnnotationError) else (tenants, None)


def _metadata(secret: DecodedSecret) -> Iterator[MetadataEntry]:
    """Every further entry with content: an empty one counts as absent, so it does not satisfy ``required``."""
    for name in sorted({*secret.data, *secret.unreadable} - {KEY_ENTRY}):
        text = _NO_TEXT if name in secret.unreadable else strip_newline(secret.data[name].reveal())
        if text:
            yield MetadataEntry(name=name, value=Sensitive(text), legal_header=not _ILLEGAL.search(text))


def _refused(complaint: str, field: FieldPath = ("data", KEY_ENTRY)) -> RefusedKey:
    return RefusedKey(Reason.BAD_SECRET, complaint, field)
