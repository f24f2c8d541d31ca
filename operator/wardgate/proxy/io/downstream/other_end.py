"""The other end of a connection: where its requests come from, and whether its certificate is one that may come in."""

from __future__ import annotations

import asyncio

from wardgate.proxy.core.origin.origin import RequestOrigin
from wardgate.proxy.core.upstream.tls_names import carries_one_of
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.tls import alt_names


def origin_of(transport: asyncio.Transport, *, introduced: str, port: int, context: WorkerContext) -> RequestOrigin:
    """Return the origin of the connection's requests; ``introduced``: the address in a PROXY header, or empty."""
    peer = transport.get_extra_info("peername")
    origin = RequestOrigin(
        introduced or (str(peer[0]) if isinstance(peer, tuple) else ""),
        scheme=b"http" if transport.get_extra_info("ssl_object") is None else b"https",
        guesses=context.guesses,
        introduced=bool(introduced),
    )
    listener = context.config.listener(port)
    if listener is not None:
        origin.follow(listener.front)
    return origin


def certificate_fits(transport: asyncio.Transport, *, port: int, context: WorkerContext) -> bool:
    """Whether the caller's certificate carries a name that the listener asks for, if it asks for any."""
    names = context.ports.client_names(port)
    if not names:
        return True
    tls = transport.get_extra_info("ssl_object")
    return tls is not None and carries_one_of(alt_names(tls.getpeercert()), names)
