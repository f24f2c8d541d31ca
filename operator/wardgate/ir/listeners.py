"""Listeners: ports, certificates, hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wardgate.ir.files import FileRef
from wardgate.ir.routes import Route
from wardgate.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate for callers who ask for one of ``hosts`` (SNI): exact names, ``*.suffix`` or ``*``, lower case."""

    certificate: str | FileRef
    private_key: Sensitive | FileRef
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """PEM texts, or files beside the proxy. ``client_ca`` demands a client certificate that it signed (MUTUAL).

    ``subject_alt_names`` not empty: the client's certificate must carry one of them. Of ``hosts`` and those of
    ``others`` the most specific one chooses the certificate; callers who ask for none of them, or tell no host, get the
    first.
    """

    certificate: str | FileRef
    private_key: Sensitive | FileRef
    client_ca: str | FileRef | None = None
    subject_alt_names: tuple[str, ...] = ()
    minimum_version: Literal["TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"] = "TLSv1_2"
    maximum_version: Literal["TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"] | None = None
    cipher_suites: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    others: tuple[ServerCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class FrontProxies:
    """The proxies between callers and a listener, and what they are believed.

    ``trusted_hops``: the last members of ``X-Forwarded-For`` that count; 0: callers connect by themselves.
    ``proxy_protocol``: every connection begins with a PROXY header, or is refused. ``trusted_networks``: CIDRs whose
    connections are believed the one and the other; empty: whoever connects is.
    """

    trusted_hops: int = 0
    proxy_protocol: bool = False
    trusted_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """``domains``: exact names, ``*.suffix`` or ``*``, lower case, no port. The most specific domain wins.

    ``routes`` are in the order they are tried; the first match takes the request.
    """

    domains: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """``name`` is unique; ``port`` is the number callers know (an installation may bind another in its place)."""

    name: str
    port: int
    virtual_hosts: tuple[VirtualHost, ...] = ()
    tls: ListenerTls | None = None
    https_redirect: bool = False
    front: FrontProxies = FrontProxies()
