"""Opens connections to upstreams: resolves, dials, shakes hands and checks the certificate, within one time-out."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import cast

from wardgate.ir import Endpoint, Upstream, UpstreamTls
from wardgate.proxy.core.upstream.tls_names import carries_one_of
from wardgate.proxy.io.tls import TlsFactory, alt_names
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.errors import AddressRefused, ConnectTimeout, TlsFailed, Unreachable, UpstreamError
from wardgate.proxy.io.upstream.happy_eyeballs import first_connected
from wardgate.proxy.io.upstream.keep_alive import keep_alive
from wardgate.proxy.io.upstream.resolver import Resolver
from wardgate.proxy.settings import Limits, Timeouts


class Dialer:
    """How every pool of a worker resolves, dials and shakes hands."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        tls: TlsFactory,
        limits: Limits,
        timeouts: Timeouts,
        clock: Callable[[], float],
        unix_root: str,
    ) -> None:
        self.resolver = resolver
        self.tls = tls
        self.limits = limits
        self.timeouts = timeouts
        self.clock = clock
        self._unix_root = Path(unix_root).resolve() if unix_root else None

    async def connect(
        self, endpoint: Endpoint, upstream: Upstream, *, context: ssl.SSLContext | None
    ) -> UpstreamConnection:
        """Open a connection. Raises ``UpstreamError``."""
        try:
            async with asyncio.timeout(self.timeouts.connect):
                connection = await self._dial(endpoint, upstream, context=context)
        except TimeoutError:
            detail = f"No connection to {endpoint.host or endpoint.unix_path} within {self.timeouts.connect} s."
            raise ConnectTimeout(detail) from None
        if connection.transport is not None:
            keep_alive(connection.transport, after=self.timeouts.tcp_keep_alive)
        if upstream.tls is not None and connection.transport is not None:
            try:
                _check_peer(connection.transport.get_extra_info("peercert"), upstream.tls)
            except TlsFailed:
                connection.close()
                raise
        return connection

    async def _dial(
        self, endpoint: Endpoint, upstream: Upstream, *, context: ssl.SSLContext | None
    ) -> UpstreamConnection:
        loop = asyncio.get_running_loop()
        sni = upstream.tls.sni if upstream.tls is not None and context is not None else None
        if endpoint.unix_path:
            path = self._socket_path(endpoint.unix_path)
            connect = partial(loop.create_unix_connection, self._protocol, path, ssl=context, server_hostname=sni)
            return await self._attempt(connect, place=path)
        connect = partial(loop.create_connection, self._protocol, ssl=context, server_hostname=sni)
        place = f"{endpoint.host}:{endpoint.port}"
        left = list(await self.resolver.resolve(endpoint.host, endpoint.port))
        while len(left) > 1:
            address, connected = await first_connected(left)
            if isinstance(connected, OSError):
                raise _unreachable(place, connected)
            # Of two servers under one name the other one may do what this one does not.
            left.remove(address)
            try:
                return await self._attempt(partial(connect, sock=connected), place=place)
            except UpstreamError:
                connected.close()
        (address,) = left
        return await self._attempt(partial(connect, address.ip, address.port), place=place)

    def _socket_path(self, path: str) -> str:
        resolved = Path(path).resolve()
        if self._unix_root is None or not resolved.is_relative_to(self._unix_root):
            detail = f"The socket {path} is not below the folder that this proxy may dial (--unix-root)."
            raise AddressRefused(detail)
        return str(resolved)

    def _protocol(self) -> asyncio.Protocol:
        connection = UpstreamConnection(
            max_head=self.limits.response_head_bytes, max_informational=self.limits.informational_responses
        )
        return cast("asyncio.Protocol", connection)

    @staticmethod
    async def _attempt(
        dial: Callable[[], Awaitable[tuple[object, asyncio.Protocol]]], *, place: str
    ) -> UpstreamConnection:
        try:
            _, connection = await dial()
        except ValueError as malformed:
            # A name that no handshake can ask for: an empty label, one above 63 bytes.
            detail = f"The TLS handshake with {place} could not begin: the name to ask for is malformed."
            raise TlsFailed(detail) from malformed
        except ssl.SSLError as fault:
            detail = f"The TLS handshake with {place} failed: {fault.reason or type(fault).__name__}."
            raise TlsFailed(detail) from fault
        except OSError as error:
            raise _unreachable(place, error) from error
        return cast("UpstreamConnection", connection)


def _unreachable(place: str, error: OSError) -> Unreachable:
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return Unreachable(f"No connection to {place}: {reason}.")


def _check_peer(peer_certificate: object, tls: UpstreamTls) -> None:
    """After a handshake: the certificate must carry one of ``verify_names``. Raises ``TlsFailed``."""
    if not tls.verify or not tls.verify_names:
        return
    if not carries_one_of(alt_names(peer_certificate), tls.verify_names):
        detail = f"The certificate carries none of the names {', '.join(tls.verify_names)}."
        raise TlsFailed(detail)
