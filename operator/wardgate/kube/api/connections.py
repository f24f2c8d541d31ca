"""Connections to the API server: kept for the next request, unless they may be dead.

A connection that died in silence (a machine gone, an entry lost in a table of connections) looks like any other, and
the next request on it would wait in vain. So watches, probes and lists always open their own; and after a request
that was not answered in time none of the connections from before it is used again.

The environment's proxy is found once for each pool. aiohttp would look for it before every request, and for a netrc
file with somebody's password too, each time on a thread: that is not to be sent, and costs more than the request.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.connector import AddrInfoType
from aiohttp.hdrs import PROXY_AUTHORIZATION
from aiohttp.helpers import strip_auth_from_url
from yarl import URL

from wardgate.kube.api.access import Access
from wardgate.tasks import spawn

_UNLIMITED: Final = 0
"""At once: each watch holds one, and a request that waits for a free one would wait for ever."""
_READ: Final = 2 * 1024 * 1024
"""Bytes of an answer that are read ahead: most of a page of a list."""
_CYCLES_TO_END: Final = 10
"""Of the loop: what a connection whose peer has gone needs until its socket is closed, several times over."""
_RETIRE: Final = 30.0
"""Seconds after which nothing is under way any more on connections that are not used again."""


class Connections:
    """Owned by one event loop."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._kept: _Pool | None = None
        self._fresh = _Pool(access, force_close=True)
        self._retired: dict[_Pool, asyncio.Task[None]] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: Mapping[str, object] | None,
        limits: aiohttp.ClientTimeout,
        fresh: bool,
    ) -> aiohttp.ClientResponse:
        """Send a request; ``fresh``: over a connection of its own.

        Raises what aiohttp raises, and ``OSError`` where a file of the access cannot be read.
        """
        pool = self._fresh if fresh else self._for_several()
        data = None if body is None else json.dumps(body)
        try:
            return await pool.request(method, url, headers=headers, data=data, limits=limits)
        except (TimeoutError, asyncio.CancelledError):
            if pool is self._kept:
                self._retire(pool)
            raise

    def _for_several(self) -> _Pool:
        """The pool of connections that are kept, made anew after the last one was retired."""
        if self._kept is None:
            self._kept = _Pool(self._access, force_close=False)
        return self._kept

    def _retire(self, retired: _Pool) -> None:
        """Use none of the kept connections again; what is under way on them comes to its end."""
        # The next request makes a pool, which may fail: here that would hide a cancellation.
        self._kept = None
        self._retired[retired] = spawn(self._close_later(retired), name="close retired connections")

    async def _close_later(self, retired: _Pool) -> None:
        await asyncio.sleep(_RETIRE)
        await retired.end()
        del self._retired[retired]

    async def close(self) -> None:
        """Close them all."""
        for task in self._retired.values():
            task.cancel()
        for pool in filter(None, (*self._retired, self._kept, self._fresh)):
            await pool.end()
        self._retired.clear()


class ApiConnector(aiohttp.TCPConnector):
    """Without a limit, and able to end what it opened. ``force_close``: no connection is used twice.

    A server's name counts only where its certificate carries it as a subjectAltName (RFC 9110, 4.3.4).
    """

    def __init__(self, *, context: ssl.SSLContext, force_close: bool = False) -> None:
        context.hostname_checks_common_name = False
        super().__init__(limit=_UNLIMITED, ssl=context, force_close=force_close, socket_factory=self._open)
        self._opened: list[socket.socket] = []

    def _open(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        opened = socket.socket(family, kind, protocol)
        self._opened = [*filter(_is_open, self._opened), opened]
        return opened

    async def end(self) -> None:
        """Close everything at once, whatever state it is in.

        A peer that stands still would keep a polite end of TLS waiting for 30 s, and a request that was cancelled as
        its handshake ended leaves a connection that nobody knows. Both see their peer go instead.
        """
        await self.close()
        for opened in filter(_is_open, self._opened):
            with suppress(OSError):  # it is not connected, or no longer
                opened.shutdown(socket.SHUT_RDWR)
        for _ in range(_CYCLES_TO_END):
            if not any(map(_is_open, self._opened)):
                break
            await asyncio.sleep(0)


def _is_open(opened: socket.socket) -> bool:
    return opened.fileno() >= 0


def proxy_for(access: Access) -> tuple[str | None, dict[str, str]]:
    """The proxy that the kubeconfig names, else the environment's (``HTTPS_PROXY``, ``NO_PROXY``), and its headers.

    A password leaves the URL for a header, because errors print URLs.
    """
    server = urlsplit(access.url)
    found = access.proxy
    if not found and not proxy_bypass(server.hostname or ""):
        found = getproxies().get(server.scheme)
    if not found:
        return None, {}
    url, account = strip_auth_from_url(URL(found))
    return str(url), {} if account is None else {PROXY_AUTHORIZATION: account.encode()}


class _Pool:
    """One session, which aiohttp wants made where its loop runs."""

    def __init__(self, access: Access, *, force_close: bool) -> None:
        self._connector = ApiConnector(context=access.context(), force_close=force_close)
        self._session = aiohttp.ClientSession(connector=self._connector, read_bufsize=_READ)
        self._server_name = access.server_name
        self._proxy, headers = proxy_for(access)
        self._proxy_headers = headers or None

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], data: str | None, limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        return await self._session.request(
            method,
            url,
            headers=headers,
            data=data,
            timeout=limits,
            server_hostname=self._server_name,
            proxy=self._proxy,
            proxy_headers=self._proxy_headers,
        )

    async def end(self) -> None:
        await self._session.close()
        await self._connector.end()


class OwnSession:
    """A session with the same TLS and the given headers, for kopf, which connects on its own."""

    def __init__(self, access: Access, *, headers: Mapping[str, str]) -> None:
        self._connector = ApiConnector(context=access.context())
        is_behind_proxy = proxy_for(access)[0] is not None
        self.session = aiohttp.ClientSession(
            connector=self._connector, headers=headers, proxy=access.proxy, trust_env=is_behind_proxy
        )

    async def end(self) -> None:
        """Close it and whatever it still has open, whether it was closed before or not."""
        await self.session.close()
        await self._connector.end()
