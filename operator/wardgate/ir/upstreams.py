"""Upstreams: names to resolve, addresses, TLS."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.ir.files import FileRef
from wardgate.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A DNS name or an IP address with its port, or (``host`` empty) a unix socket's absolute path.

    A name that ends with a dot is looked up as it stands, without search domains (RFC 1034, 3.1).
    """

    host: str
    port: int
    unix_path: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """``sni`` is sent. Unless ``verify_names`` lists others, it is also the name that the certificate must carry.

    ``verify`` False is the insecure mode, which a user has to spell out. ``ca`` (PEM) replaces the system's roots.
    """

    sni: str
    verify: bool = True
    verify_names: tuple[str, ...] = ()
    ca: str | FileRef | None = None
    certificate: str | FileRef | None = None
    private_key: Sensitive | FileRef | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """``bound_hosts`` are the names this upstream dials and verifies (invariant 11); None: no bound token goes there.

    A credential bound to hosts is used only on routes all of whose upstreams have ``bound_hosts`` within its own.
    ``send_user_id`` lets ``x-user-id`` (the key Secret's name) go there; ``send_forwarded`` lets
    ``X-Forwarded-For`` and its like, the way that a request came.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    tls: UpstreamTls | None = None
    bound_hosts: tuple[str, ...] | None = None
    send_user_id: bool = False
    send_forwarded: bool = False
