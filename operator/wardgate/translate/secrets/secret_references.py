"""The Secrets that other objects name: decoded, checked, never shown.

The functions read a reference of a policy or a gateway: to a shared secret, a certificate with its key, a CA bundle.
Each returns the value, or the one ``Problem`` that keeps the reader from having it. No message quotes the content of a
Secret, and none tells whether a Secret exists that its reader may not name.

Other modules find Secrets (``secret_index``), decide which namespaces may name which (``tenancy``), read key Secrets
(``key_reader``) and check certificates (``certificates``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wardgate.api.kinds.annotations import SHARE_WITH, AnnotationError, parse_namespaces
from wardgate.api.kinds.secret import DEFAULT_TYPE, Secret
from wardgate.api.reading.parse import Parsed
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import Scope, SecretContent
from wardgate.translate.sight import Sight

SHARED_SECRET_ENTRIES: Final = ("shared-secret", "sharedSecret", "hmac", "secret", "password")
"""Entries that may hold an HMAC shared secret, in order of preference; a Secret's only entry may have any name."""
_CERTIFICATE_ENTRIES: Final = ("tls.crt", "cert")
_PRIVATE_KEY_ENTRIES: Final = ("tls.key", "key")
_CA_ENTRIES: Final = ("ca.crt", "cacert")
_REVOCATION_ENTRIES: Final = ("ca.crl", "crl")


@dataclass(frozen=True, slots=True)
class DecodedSecret:
    """``data``: entry name to text. Names of entries that are not UTF-8 are in ``unreadable``.

    ``fault`` tells why the whole Secret cannot be read and how to mend it, ``fault_field`` where; both are empty for a
    good one. Such a Secret may hide a restriction, so it has no data at all: it opens nothing.
    """

    stored: StoredObject
    type: str
    annotations: Mapping[str, str]
    data: Mapping[str, Sensitive] = field(repr=False)
    unreadable: tuple[str, ...] = ()
    fault: str = ""
    fault_field: FieldPath = ()


def decode_secret(stored: StoredObject, parsed: Parsed) -> DecodedSecret:
    """Decode a Secret from its model."""
    model = parsed.model
    if not isinstance(model, Secret):
        fault, field = _fault(parsed)
        return DecodedSecret(stored, type_of(stored), {}, {}, fault=fault, fault_field=field)
    broken = tuple(sorted(name for name, value in model.data.items() if not _is_text(value)))
    return DecodedSecret(
        stored,
        type=model.type,
        annotations=model.metadata.annotations,
        data={name: model.data[name] for name in sorted(model.data) if name not in broken},
        unreadable=broken,
    )


def _fault(parsed: Parsed) -> tuple[str, FieldPath]:
    """The first error as the end of a sentence, and its field."""
    for problem in parsed.problems:
        if problem.kind is ProblemKind.ERROR:
            return problem.message.removeprefix(f"{problem.ref}: ").removesuffix("."), problem.field
    return "its kind or apiVersion is not that of a Secret", ("kind",)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a Secret: the object that names it (``source``), the field, and the Secret's name."""

    source: ObjectRef
    field: FieldPath
    namespace: str
    name: str

    @property
    def target(self) -> ObjectRef:
        """The Secret that is named, whether or not it exists."""
        return ObjectRef("Secret", self.namespace, self.name)

    def problem(self, reason: Reason, message: str) -> Problem:
        """An error of the object that holds the reference."""
        cause = Cause(self.target) if reason is Reason.REF_NOT_FOUND else None
        return Problem(ProblemKind.ERROR, reason, message, self.source, self.field, cause)


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A PEM chain, the end entity first, and the private key that belongs to it."""

    certificate: str
    private_key: Sensitive


def find_secret(reference: Reference, scope: Scope) -> SecretContent | Problem:
    """The referenced Secret, or the problem that keeps its reader from having it."""
    reader, holder = scope.tenancy.owner(reference.source.namespace), scope.tenancy.owner(reference.namespace)
    known = not reader or holder in ("", reader)
    found = scope.secrets.find(reference.namespace, reference.name) if known else None
    if reader not in ("", holder) and not (found is not None and _is_shared(found, reader)):
        # The same answer whether or not it exists.
        message = (
            f"{reference.source} may not use {reference.target}: it lies outside its own namespace, and no platform "
            f"Secret of that name is shared with {reader} by the annotation {SHARE_WITH}. Copy it into this namespace."
        )
        return reference.problem(Reason.REF_NOT_PERMITTED, message)
    if found is None:
        reason, absence = Sight.of(scope.settings).absence(reference.target)
        remedy = ". Create it, or correct the name." if reason is Reason.REF_NOT_FOUND else ", or move the Secret."
        return reference.problem(reason, f"{reference.source} needs {reference.target}, which {absence}{remedy}")
    return found


def _is_shared(secret: SecretContent, tenant: str) -> bool:
    tenants = parse_namespaces(secret.annotations.get(SHARE_WITH, ""))
    return not isinstance(tenants, AnnotationError) and tenant in tenants


def shared_secret(reference: Reference, scope: Scope) -> Sensitive | Problem:
    """The key of an HMAC, without the one newline at its end that editors leave."""
    found = find_secret(reference, scope)
    if isinstance(found, Problem):
        return found
    names = [name for name in SHARED_SECRET_ENTRIES if name in found.data]
    only = [*found.data, *found.unreadable]
    if not names and len(only) == 1:
        names = [name for name in only if name in found.data]
    if not names:
        return _bad(reference, f'it needs an entry "{SHARED_SECRET_ENTRIES[0]}" that is valid base64 and UTF-8')
    text = strip_newline(found.data[names[0]].reveal())
    if not text:
        return _bad(reference, f'its entry "{names[0]}" is empty')
    return Sensitive(text)


def certificate_pair(reference: Reference, scope: Scope) -> CertificatePair | Problem:
    """``tls.crt`` with ``tls.key`` (or ``cert`` with ``key``), after a check that they belong together."""
    found = find_secret(reference, scope)
    if isinstance(found, Problem):
        return found
    complaint = scope.versions.of(found.stored, "certificate-pair", make=lambda: _pair_complaint(found))
    if complaint:
        return _bad(reference, complaint)
    certificate, private_key = _first(found, _CERTIFICATE_ENTRIES), _first(found, _PRIVATE_KEY_ENTRIES)
    assert certificate is not None
    assert private_key is not None
    return CertificatePair(certificate.reveal(), private_key)


def ca_bundle(reference: Reference, scope: Scope) -> str | Problem:
    """``ca.crt`` (or ``cacert``) of the Secret, else of its sibling ``<name>-cacert``.

    A revocation list beside it is refused: it would have no effect, and those whom it revokes would still be let in.
    """
    found = find_secret(reference, scope)
    if isinstance(found, Problem):
        return found
    sibling = scope.secrets.find(reference.namespace, f"{reference.name}-cacert")
    holders = [found] if sibling is None else [found, sibling]
    if any(name in (*holder.data, *holder.unreadable) for holder in holders for name in _REVOCATION_ENTRIES):
        message = (
            f"{reference.source} uses {reference.target}, which comes with a certificate revocation list. Wardgate "
            "does not apply such lists. Put an authority there that has revoked none of its certificates, and remove "
            "the list."
        )
        return reference.problem(Reason.UNSUPPORTED, message)
    for holder in holders:
        bundle = _first(holder, _CA_ENTRIES)
        if bundle is not None:
            return _checked_bundle(reference, bundle, holder=holder, scope=scope)
    complaint = f'it has no entry "{_CA_ENTRIES[0]}", nor has a Secret "{reference.name}-cacert"'
    return _bad(reference, complaint)


def _checked_bundle(reference: Reference, bundle: Sensitive, *, holder: SecretContent, scope: Scope) -> str | Problem:
    # The library takes 80 ms to load, and most installations have no certificates in Secrets.
    from wardgate.translate.secrets.certificates import are_certificates  # noqa: PLC0415

    text = bundle.reveal()
    readable = scope.versions.of(holder.stored, "ca-bundle", make=lambda: are_certificates(text))
    return text if readable else _bad(reference, f'the "{_CA_ENTRIES[0]}" that belongs to it is not a PEM certificate')


def strip_newline(text: str) -> str:
    """The text without the one line ending that ``echo`` and editors leave behind."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _bad(reference: Reference, complaint: str) -> Problem:
    return reference.problem(Reason.BAD_SECRET, f"{reference.source} cannot use {reference.target}: {complaint}.")


def _first(secret: SecretContent, names: tuple[str, ...]) -> Sensitive | None:
    return next((secret.data[name] for name in names if name in secret.data), None)


def _pair_complaint(secret: SecretContent) -> str:
    """The fault of a certificate and its key as the end of a sentence; empty for a good pair."""
    certificate, private_key = _first(secret, _CERTIFICATE_ENTRIES), _first(secret, _PRIVATE_KEY_ENTRIES)
    if certificate is None or private_key is None:
        return 'it needs the entries "tls.crt" and "tls.key"'
    from wardgate.translate.secrets.certificates import pair_fault  # noqa: PLC0415 - as above

    return pair_fault(certificate.reveal(), private_key)


def type_of(stored: StoredObject) -> str:
    """The type of a Secret, whatever else is wrong with it."""
    return str(stored.manifest.get("type") or DEFAULT_TYPE)


def _is_text(value: Sensitive) -> bool:
    """Whether a value is UTF-8: other bytes were decoded to surrogates, which no text holds."""
    return not any("\ud800" <= character <= "\udfff" for character in value.reveal())
