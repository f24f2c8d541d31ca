"""Listening sockets: one for each worker and port, made and kept open by the supervisor.

The kernel spreads connections over the sockets of one port (``SO_REUSEPORT``). Each keeps its own queue, and closing
one resets what is queued on it; so the supervisor holds every socket, and a worker that dies leaves its queue to its
successor. macOS has no such spreading: there the first socket would take everything, which is right, only slower.

``::`` serves IPv4 callers too, unless an IPv4 address is bound beside it.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

BACKLOG = 1024
_LAST_PORT = 65535
_ANY_IPV6 = "::"


class BindError(Exception):
    """A port cannot be bound; the message says why and what to do."""

    @staticmethod
    def explain_admin(error: OSError, *, address: str) -> str:
        """Say why ``ADDR:PORT`` cannot be bound for the admin endpoints."""
        host, _, number = address.rpartition(":")
        host, port = host.strip("[]"), int(number)
        another = f"--admin {_shown(host)}:{port + 1 if port < _LAST_PORT else port - 1}"
        if error.errno == errno.EADDRINUSE:
            return (
                f"Port {port} of {host} is in use by another process; "
                f"choose another with {another}, or none with --admin none."
            )
        if error.errno == errno.EACCES:
            return (
                f"Port {port} of {host} needs privileges that this process does not have; "
                "choose one above 1023 with --admin, or none with --admin none."
            )
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return f"This machine has no address {host}; choose another one with --admin."
        reason = os.strerror(error.errno) if error.errno else str(error)
        return f"The admin address {address} cannot be bound: {reason}; choose another one with --admin."


@dataclass(slots=True)
class BoundPort:
    """``port`` is the listener's number; ``address`` where callers reach it; ``sockets``: of each worker."""

    port: int
    address: str
    sockets: tuple[tuple[socket.socket, ...], ...] = field(default=())

    def close(self) -> None:
        """Stop listening, once no worker serves it any more."""
        _close(sock for sockets in self.sockets for sock in sockets)


def bind(*, hosts: str, port: int, listener_port: int, count: int) -> BoundPort:
    """Bind addresses, separated by commas, ``count`` times each; ``port`` 0 takes a free one. Raises ``BindError``."""
    places = hosts.split(",")
    dual = places == [_ANY_IPV6]
    bound: list[list[socket.socket]] = []
    for host in places:
        try:
            _probe(host, port, dual=dual)
            bound.append([])
            for _ in range(count):
                bound[-1].append(_listen(host, port, dual=dual))
                port = bound[-1][0].getsockname()[1]
        except OSError as error:
            _close(sock for sockets in bound for sock in sockets)
            raise BindError(_explain(error, host=host, port=port, listener_port=listener_port)) from error
    return BoundPort(listener_port, address=f"{_shown(places[0])}:{port}", sockets=tuple(zip(*bound, strict=True)))


def _close(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _probe(host: str, port: int, *, dual: bool) -> None:
    """Sockets that share a port would share it with a stranger too; bind once without sharing to notice one."""
    with _socket(host, dual=dual) as probe:
        probe.bind((host, port))
        probe.listen(1)


def _listen(host: str, port: int, *, dual: bool) -> socket.socket:
    sock = _socket(host, dual=dual)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _socket(host: str, *, dual: bool) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family is socket.AF_INET6:
        # The system's own default differs from one to the next.
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
    return sock


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _explain(error: OSError, *, host: str, port: int, listener_port: int) -> str:
    remedy = f"bind another port in its place with --port {listener_port}=8080, or the like"
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} needs privileges that this process does not have; {remedy}."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another process; end it, or {remedy}."
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"This machine has no address {host}; choose another one with --bind."
    return f"Port {port} of {host} cannot be bound: {error.strerror}."
