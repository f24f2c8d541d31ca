"""The entries and restrictions that key Secrets and provider Secrets have in common.

A restriction that cannot be read refuses the Secret. A list of tenants that cannot be read shares it with nobody.
Useless entries are left out. A complaint names entries and annotations, never their content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.annotations import SHARE_WITH, UPSTREAM_HOSTS, AnnotationError, parse_list, parse_namespaces
from wardgate.http_grammar import UNSENDABLE
from wardgate.ir import MetadataEntry
from wardgate.problems import FieldPath, Reason
from wardgate.sensitive import Sensitive
from wardgate.translate.secrets.secret_references import DecodedSecret, strip_newline

ILLEGAL: Final = re.compile(f"[{UNSENDABLE}]")
"""Characters that RFC 9110, section 5.5, excludes from header values."""
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_NO_TEXT: Final = "\0"
"""Replaces an entry that is not UTF-8: present, but neither sent nor equal to any header."""
_ANNOTATIONS: Final = ("metadata", "annotations")


@dataclass(frozen=True, slots=True)
class RefusedKey:
    """The reason why a Secret is not used. ``complaint`` continues the sentence "Secret x/y is not used ...: "."""

    reason: Reason
    complaint: str
    field: FieldPath


def refused_annotation(name: str, expected: str) -> RefusedKey:
    """An annotation's value cannot be read; ``expected`` as in ``AnnotationError``."""
    return RefusedKey(Reason.BAD_SECRET, f"its annotation {name} must be {expected}", (*_ANNOTATIONS, name))


def read_hosts(secret: DecodedSecret) -> tuple[str, ...] | RefusedKey | None:
    """The hosts that the Secret is bound to, sorted; None: it is not bound."""
    text = secret.annotations.get(UPSTREAM_HOSTS)
    if text is None:
        return None
    hosts = parse_list(text)
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        complaint = f"its annotation {UPSTREAM_HOSTS} must list names of hosts, such as api.openai.com"
        return RefusedKey(Reason.BAD_SECRET, complaint, (*_ANNOTATIONS, UPSTREAM_HOSTS))
    return tuple(sorted(hosts))


def read_sharing(secret: DecodedSecret) -> tuple[tuple[str, ...], AnnotationError | None]:
    """The tenants that the Secret is shared with, and the error that keeps it from being shared."""
    text = secret.annotations.get(SHARE_WITH)
    tenants = () if text is None else parse_namespaces(text)
    return ((), tenants) if isinstance(tenants, AnnotationError) else (tenants, None)


def read_metadata(secret: DecodedSecret, *, besides: frozenset[str] = frozenset()) -> Iterator[MetadataEntry]:
    """Every entry with content ``besides`` some: an empty one counts as absent, so it does not satisfy ``required``."""
    for name in sorted({*secret.data, *secret.unreadable} - besides):
        text = _NO_TEXT if name in secret.unreadable else strip_newline(secret.data[name].reveal())
        if text:
            yield MetadataEntry(name=name, value=Sensitive(text), legal_header=not ILLEGAL.search(text))


def size_of(metadata: tuple[MetadataEntry, ...]) -> int:
    """Bytes of entries, names included."""
    return sum(len(f"{entry.name}{entry.value.reveal()}".encode()) for entry in metadata)


def too_large(size: int, limit: int) -> RefusedKey:
    """The entries make more bytes than may be."""
    return RefusedKey(Reason.TOO_LARGE, f"its entries make {size} bytes, and at most {limit} are allowed", ("data",))
