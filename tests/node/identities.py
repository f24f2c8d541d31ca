"""The node's certificate authority, and a kubeconfig for each part and for the admin."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.node.places import API_PORT, API_SERVICE, CREDENTIALS, DOMAIN, INSIDE, KUBECONFIG, NAME

SERVER_NAMES: Final = (
    INSIDE,
    API_SERVICE,
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{DOMAIN}",
)
USERS: Final = {
    "admin": ("admin", "system:masters"),
    "kubelet": (f"system:node:{NAME}", "system:nodes"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
}
"""For each part: its user, and the user's group."""


def write_identities() -> None:
    """Make all of them anew."""
    CREDENTIALS.mkdir(mode=0o700)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(CREDENTIALS / "ca.pem")
    authority.private_key_pem.write_to_path(CREDENTIALS / "ca.key")
    _write(authority.issue_cert(*SERVER_NAMES, common_name="kube-apiserver"), "server")
    _write(authority.issue_cert(NAME, INSIDE, common_name=NAME), "kubelet-server")
    _write(_client(authority, "kubelet-client", "system:masters"), "kubelet-client")
    (CREDENTIALS / "tokens.key").write_bytes(_token_key())
    for part, (user, group) in USERS.items():
        made = _client(authority, user, group)
        path = KUBECONFIG if part == "admin" else CREDENTIALS / f"{part}.kubeconfig"
        _write_kubeconfig(path, authority, made)


def _client(authority: trustme.CA, user: str, group: str) -> trustme.LeafCert:
    # A certificate that is for no name at all would be refused: its list of names would be empty, and critical.
    return authority.issue_cert("client.invalid", common_name=user, organization_name=group or None)


def _write(made: trustme.LeafCert, name: str) -> None:
    for part in made.cert_chain_pems:
        part.write_to_path(CREDENTIALS / f"{name}.pem", append=True)
    made.private_key_pem.write_to_path(CREDENTIALS / f"{name}.key")


def _write_kubeconfig(path: Path, authority: trustme.CA, made: trustme.LeafCert) -> None:
    user = {
        "client-certificate-data": _base64(b"".join(part.bytes() for part in made.cert_chain_pems)),
        "client-key-data": _base64(made.private_key_pem.bytes()),
    }
    cluster = {
        "server": f"https://{INSIDE}:{API_PORT}",
        "certificate-authority-data": _base64(authority.cert_pem.bytes()),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content), encoding="ascii")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _token_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
