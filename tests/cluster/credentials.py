"""The files that a control plane is started with: a CA, a server certificate, a key for tokens, an admin's token."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SERVER_NAMES = ("localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc")

# Who did what, never a body: a Secret's data must not lie in a log, not even in a test's. Watches count as they begin.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the files are, and the admin's token."""

    ca_file: Path
    server_chain: Path
    server_key: Path
    token_signing_key: Path
    token_file: Path
    audit_policy: Path
    admin_token: str


def write_credentials(folder: Path) -> Credentials:
    """Make new ones in ``folder``."""
    folder.mkdir(mode=0o700, parents=True)
    authority = trustme.CA()
    server = authority.issue_cert(*SERVER_NAMES)
    made = Credentials(
        ca_file=folder / "ca.pem",
        server_chain=folder / "server.pem",
        server_key=folder / "server.key",
        token_signing_key=folder / "tokens.key",
        token_file=folder / "tokens.csv",
        audit_policy=folder / "audit.yaml",
        admin_token=secrets.token_urlsafe(24),
    )
    authority.cert_pem.write_to_path(made.ca_file)
    for part in server.cert_chain_pems:
        part.write_to_path(made.server_chain, append=True)
    server.private_key_pem.write_to_path(made.server_key)
    made.token_signing_key.write_bytes(_private_key())
    made.token_file.write_text(f'{made.admin_token},admin,admin,"system:masters"\n', encoding="ascii")
    made.audit_policy.write_text(json.dumps(AUDIT_POLICY), encoding="ascii")
    return made


def _private_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
