"""Where an API server is, and who we are there.

``pod_access`` reads it from the pod, ``kubeconfig`` from a file. Both hand over this one form, so that a proxy in a pod
loads no library that reads kubeconfigs.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from wardgate.kube.api.errors import KubeError


class NoAccess(KubeError):
    """The files or plugins that say where the API server is cannot be used; the text says why, without a token."""


@dataclass(frozen=True, slots=True)
class Access:
    """``url`` has no slash at its end. ``authorization`` is the whole value of the header, empty: none is sent.

    Paths are None where the default counts: the system's authorities, no client certificate. ``server_name`` is the
    name that the certificate must carry, if that is not the URL's. ``proxy`` is the URL of an HTTP proxy.
    """

    url: str
    authorization: str = field(default="", repr=False)
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    verify: bool = True
    proxy: str | None = field(default=None, repr=False)
    proxy_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def context(self) -> ssl.SSLContext:
        """A new TLS context. Raises ``OSError`` where a file cannot be read, ``ssl.SSLError`` where it holds no PEM."""
        made = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file:
            made.load_cert_chain(self.certificate_file, keyfile=self.key_file)
        if not self.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made


Load: TypeAlias = Callable[[], Awaitable[Access]]
"""Reads it anew, because tokens of pods and of plugins expire. Raises ``NoAccess``."""
