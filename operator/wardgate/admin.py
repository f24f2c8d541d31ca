"""The admin endpoints: ``/healthz /readyz /metrics /revision``, and on loopback only ``/config``.

A small HTTP/1.1 server of its own, so that probes answer whatever the data plane is busy with. It reads nothing but a
request line, and closes after each answer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from wardgate.printable import printable_json

_MAX_HEAD = 8192
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Pages: TypeAlias = Mapping[str, Callable[[], Page]]


def json_page(value: object) -> Page:
    """Render a JSON document."""
    return Page(200, f"{printable_json(value, sort_keys=True)}\n".encode(), "application/json")


class AdminServer:
    """``pages`` by path; those in ``local`` answer only callers on the loopback interface."""

    def __init__(self, *, pages: Pages, local: frozenset[str]) -> None:
        self._pages = pages
        self._local = local
        self._server: asyncio.Server | None = None
        self.address = ""

    async def start(self, host: str, port: int) -> None:
        """Listen; at ``::`` for IPv4 too. Raises ``OSError``."""
        sock = _bound(host, port)
        self._server = await asyncio.start_server(self._serve, sock=sock, limit=_MAX_HEAD)
        self.address = f"[{host}]:{sock.getsockname()[1]}" if ":" in host else f"{host}:{sock.getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                page = self._answer(head, caller=str(writer.get_extra_info("peername")[0]))
                writer.write(
                    b"HTTP/1.1 %d \r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                    % (page.status, page.content_type.encode(), len(page.body))
                )
                writer.write(b"" if head.startswith(b"HEAD ") else page.body)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or asks nothing that could be answered
        finally:
            writer.close()

    def _answer(self, head: bytes, *, caller: str) -> Page:
        parts = head.split(b"\r\n", 1)[0].split(b" ")
        if len(parts) != 3 or parts[0] not in (b"GET", b"HEAD"):
            return Page(405, b"Only GET and HEAD.\n")
        path = parts[1].split(b"?", 1)[0].decode("latin-1")
        page = self._pages.get(path)
        if page is None:
            return Page(404, ("Known: " + ", ".join(sorted(self._pages)) + ".\n").encode())
        if path in self._local and not _is_loopback(caller):
            return Page(403, b"This page answers only on the loopback interface.\n")
        return page()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _is_loopback(caller: str) -> bool:
    address = ipaddress.ip_address(caller.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
