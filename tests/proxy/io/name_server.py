"""A name server on loopback that answers for some names, denies others, and keeps silent or takes its time for some."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, cast

_A: Final = 1
_HEAD: Final = struct.Struct(">HHHHHH")
_NAME_ERROR: Final = 3


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """``addresses`` by name; a name below ``silent`` gets no answer, any other one does not exist.

    ``slow``: seconds from the first question about a name until there is an answer, as where a zone is slow to tell.
    """

    addresses: Mapping[str, str]
    silent: str
    slow: Mapping[str, float] = field(default_factory=dict)
    known_at: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> str:
        assert self.transport is not None
        host, port = self.transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of none of asyncio's classes.
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = _read_name(data)
        self.asked.append(name)
        if not f".{name}".endswith(f".{self.silent}") and self.transport is not None:
            (kind,) = struct.unpack_from(">H", data, end)
            loop = asyncio.get_running_loop()
            known_at = self.known_at.setdefault(name, loop.time() + self.slow.get(name, 0.0))
            loop.call_at(
                known_at,
                self.transport.sendto,
                self._answer(data, data[_HEAD.size : end + 4], name=name, kind=kind),
                addr,
            )

    def _answer(self, query: bytes, question: bytes, *, name: str, kind: int) -> bytes:
        address = self.addresses.get(name)
        flags = 0x8180 | (0 if address else _NAME_ERROR)
        records = b""
        if address is not None and kind == _A:
            # A pointer to the question's name, type A, class IN, no time to live, four bytes.
            records = struct.pack(">HHHIH", 0xC00C, _A, 1, 0, 4) + bytes(map(int, address.split(".")))
        (number,) = struct.unpack_from(">H", query)
        return _HEAD.pack(number, flags, 1, 1 if records else 0, 0, 0) + question + records


def _read_name(query: bytes) -> tuple[str, int]:
    labels, at = [], _HEAD.size
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


@asynccontextmanager
async def name_server(
    addresses: Mapping[str, str], *, silent: str, slow: Mapping[str, float] | None = None
) -> AsyncIterator[NameServer]:
    server = NameServer(addresses, silent, slow or {})
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: server, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
