"""PEM certificates and private keys: whether they can be read, and whether two belong together."""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wardgate.sensitive import Sensitive


def are_certificates(pem: str) -> bool:
    """Whether a text holds readable certificates."""
    return _certificates(pem) is not None


def pair_fault(certificate: str, private_key: Sensitive) -> str:
    """The fault of a ``tls.crt`` and its ``tls.key`` as the end of a sentence; empty if they belong together."""
    chain = _certificates(certificate)
    if chain is None:
        return 'its "tls.crt" is not a PEM certificate'
    key = _public_half(lambda: serialization.load_pem_private_key(private_key.reveal().encode(), password=None))
    if key is None:
        return 'its "tls.key" is not a PEM private key without a passphrase'
    if _public_half(lambda: chain[0]) != key:
        return 'its "tls.key" does not belong to the first certificate of its "tls.crt"'
    return ""


def _certificates(pem: str) -> list[x509.Certificate] | None:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _public_half(load: Callable[[], x509.Certificate | PrivateKeyTypes]) -> bytes | None:
    """The public key of a certificate or a private key in a comparable form; None if it cannot be read."""
    try:
        return load().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
