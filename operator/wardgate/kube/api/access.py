"""Where an API server is, and who we are there.

``pod_access`` reads it from the pod, ``kubeconfig`` from a file. Both hand over this one form, so that a proxy in a pod
loads nothing that reads kubeconfigs.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from wardgate.kube.api.errors import KubeError


class NoAccess(KubeError):
    """The files or plugins that say where the API server is cannot be used; the text says why, without a token."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate, with the others that lead to its authority, and its key; both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Show it to servers. OpenSSL wants a file, which is nobody else's and gone afterwards."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.certificate + b"\n" + self.key)
            file.flush()
            context.load_cert_chain(file.name)


@dataclass(frozen=True, slots=True)
class Access:
    """``url`` has no slash at its end. ``authorization`` is the whole value of the header, empty: none is sent.

    The authorities stand in a file, which is read for every context anew, or are PEM; without any the system's count.
    ``server_name`` is the name that the certificate must carry, if that is not the URL's. ``proxy`` is the URL of an
    HTTP proxy.
    """

    url: str
    authorization: str = field(default="", repr=False)
    ca_file: str | None = None
    ca_pem: bytes = b""
    certificate: ClientCertificate | None = None
    server_name: str | None = None
    verify: bool = True
    proxy: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """A new TLS context. Raises ``OSError`` where a file cannot be read, ``ssl.SSLError`` where it holds no PEM."""
        made = ssl.create_default_context(cafile=self.ca_file, cadata=self.ca_pem.decode("ascii", "replace") or None)
        if self.certificate is not None:
            self.certificate.load_into(made)
        if not self.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made

    def authorities(self) -> bytes:
        """The named authorities as they are written, empty if there are none. Raises ``OSError``."""
        return Path(self.ca_file).read_bytes() if self.ca_file else self.ca_pem


Load: TypeAlias = Callable[[], Awaitable[Access]]
"""Reads it anew, because tokens of pods and of plugins expire. Raises ``NoAccess``."""
