"""The memory that a read of TLS takes: a record's, whatever the event loop asks for."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
import trustme

from tests.proxy.io.bench import OK, Caller, answering, config, providing, run, serving
from wardgate.ir import Endpoint, GatewayConfig, ListenerTls, Upstream, UpstreamTls
from wardgate.proxy.io.tls import TlsFactory
from wardgate.proxy.io.tls_object import RECORD, RecordReader
from wardgate.sensitive import Sensitive

HOST = "gw.example.com"
GET = b"GET / HTTP/1.1\r\nHost: gw.example.com\r\n\r\n"
ASKED = 256 * 1024
"""Bytes that uvloop and asyncio ask for at each read."""
Ends: TypeAlias = tuple[ssl.SSLObject, ssl.SSLObject]
"""The product's end of a connection, and its peer's."""


class Parties:
    """The product's contexts, and those of whom it talks to."""

    def __init__(self) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert(HOST)
        chain = "".join(blob.bytes().decode() for blob in leaf.cert_chain_pems)
        factory = TlsFactory(files_root="", extra_ca="")
        self._listener = ListenerTls(chain, Sensitive(leaf.private_key_pem.bytes().decode()))
        self._upstream = UpstreamTls(HOST, ca=authority.cert_pem.bytes().decode())
        self.listener = factory.listener(self._listener)
        self.upstream = factory.upstream(self._upstream)
        self.caller = ssl.create_default_context()
        authority.configure_trust(self.caller)
        self.provider = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        leaf.configure_cert(self.provider)

    def config(self, port: int) -> GatewayConfig:
        """TLS from the caller, and to the provider."""
        base = config(port, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), self._upstream),))
        return replace(base, listeners=(replace(base.listeners[0], tls=self._listener),))


def from_caller(parties: Parties) -> Ends:
    client, server = connected(parties.caller, parties.listener)
    return server, client


def from_provider(parties: Parties) -> Ends:
    return connected(parties.upstream, parties.provider)


def connected(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> Ends:
    """Shake hands in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(back, there, server_hostname=HOST)
    server = server_context.wrap_bio(there, back, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client, server


@pytest.mark.parametrize("ends", [from_caller, from_provider])
def test_read_takes_the_memory_of_one_record(ends: Callable[[Parties], Ends]) -> None:
    ours, theirs = ends(Parties())
    theirs.write(b"answer")
    tracemalloc.start()
    try:
        assert b"answer" == ours.read(ASKED)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert RECORD <= most < 2 * RECORD


@pytest.mark.parametrize("ends", [from_caller, from_provider])
def test_long_message_needs_no_more_reads_than_it_has_records(ends: Callable[[Parties], Ends]) -> None:
    ours, theirs = ends(Parties())
    message = bytes(range(256)) * 256
    theirs.write(message)
    reads = [ours.read(ASKED) for _ in range(len(message) // RECORD)]
    assert message == b"".join(reads)
    with pytest.raises(ssl.SSLWantReadError):
        ours.read(ASKED)


@pytest.mark.parametrize("ends", [from_caller, from_provider])
def test_rest_of_a_record_waits_for_the_next_read(ends: Callable[[Parties], Ends]) -> None:
    ours, theirs = ends(Parties())
    theirs.write(b"answer")
    buffer = bytearray(4)
    ours.read(4, buffer)
    assert b"answ" == bytes(buffer)
    assert b"er" == ours.read(ASKED)


def test_request_with_tls_on_both_sides_takes_little_memory_at_once() -> None:
    parties = Parties()
    for others in (parties.caller, parties.provider):
        others.sslobject_class = RecordReader

    async def scenario() -> int:
        async with providing(answering(OK), ssl=parties.provider) as provider, serving() as bench:
            assert () == await bench.apply(parties.config(provider.port))
            caller = Caller(
                *await asyncio.open_connection("127.0.0.1", bench.port, ssl=parties.caller, server_hostname=HOST)
            )
            for warm in (False, False, True):
                if warm:
                    tracemalloc.start()
                await caller.send(GET)
                assert 200 == (await caller.response())[0]
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            caller.close()
            assert 1 == provider.connections
            return most

    assert run(scenario()) < ASKED
