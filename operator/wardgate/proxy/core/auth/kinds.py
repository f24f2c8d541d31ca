"""Kinds of credentials: what a rule may ask about one beside what its texts say.

A rule asks whose a token is, with whom it is shared, where it may go, and which entries there are. It asks what a value
says only where that is no ordinary one: empty, long, or with a byte in it that no field may hold. So requests with keys
of one kind are treated alike, as far as no template looks into values.

A kind is all of a credential but its texts, so a field that credentials gain belongs here (a test says so).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from wardgate.ir import Credential, MetadataEntry
from wardgate.proxy.core.auth.credential_index import CompiledCredential
from wardgate.sensitive import Sensitive
from wardgate.text_codec import from_bytes

Kind: TypeAlias = tuple[str, tuple[str, ...], frozenset[str] | None, tuple[str, ...]]

_LONGEST: Final = 256
_VALUE: Final = re.compile(rb"[\x21-\x7e]{1,256}")
_NAME: Final = re.compile(r"[\x21-\x7e]{1,256}")
NAME: Final = ""
"""Stands for the credential's name among its entries."""


def kind_of(credential: CompiledCredential) -> Kind | None:
    """Return the kind of a credential; None: a text is not ordinary, or more than those is asked of it."""
    raw = credential.raw
    if (
        credential.source
        or credential.allowed_from is not None
        or credential.sendable is not raw
        or NAME in raw
        or _NAME.fullmatch(credential.name) is None
    ):
        return None
    for value in raw.values():
        if _VALUE.fullmatch(value) is None:
            return None
    return (credential.namespace, credential.shared_with, credential.allowed_hosts, tuple(raw))


def marked(
    credential: CompiledCredential, fresh: Callable[[], bytes]
) -> tuple[CompiledCredential, Mapping[bytes, str]]:
    """Return a credential of the same kind and the same key whose texts are marks, and of each mark the entry.

    Marks are as long as ordinary values can be. ``fresh`` gives texts that nobody can have foreseen.
    """
    marks = {_mark(number, fresh): entry for number, entry in enumerate((NAME, *credential.raw))}
    hosts = credential.allowed_hosts
    name, *_ = marks
    entries = tuple(MetadataEntry(entry, Sensitive(from_bytes(mark))) for mark, entry in marks.items() if entry)
    made = Credential(
        credential.id[0],
        credential.digest.hex(),
        credential.namespace,
        from_bytes(name),
        allowed_hosts=None if hosts is None else tuple(sorted(hosts)),
        shared_with=credential.shared_with,
        metadata=entries,
    )
    return CompiledCredential(made), marks


def _mark(number: int, fresh: Callable[[], bytes]) -> bytes:
    """Return the longest ordinary text; no mark stands in another one."""
    return (b"%d-%b." % (number, fresh())).ljust(_LONGEST, b"x")
