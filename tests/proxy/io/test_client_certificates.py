"""Upstreams that ask who calls: the gateway shows the certificate of the config, and takes up a new one in place."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
import trustme

from tests.proxy.io.bench import OK, Provider, answering, config, run, serving
from wardgate.ir import Endpoint, FileRef, GatewayConfig, Upstream, UpstreamTls
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.sensitive import Sensitive

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def asking_for(clients: trustme.CA, server: trustme.CA) -> AsyncIterator[tuple[Provider, list[str]]]:
    """A provider that takes certificates of one authority, and the names in those that it was shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.issue_cert("api.example.com").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    clients.configure_trust(context)
    shown: list[str] = []
    provider = Provider(script=lambda _r, _w: asyncio.sleep(0))
    provider.script = answering(OK)(provider)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.extend(name for _, name in writer.get_extra_info("peercert")["subjectAltName"])
        await provider.serve(reader, writer)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    provider.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield provider, shown


def to(
    provider: Provider,
    authority: trustme.CA,
    *,
    leaf: trustme.LeafCert | None = None,
    files: Mapping[str, FileRef] = MappingProxyType({}),
) -> GatewayConfig:
    pair: dict[str, str | Sensitive | FileRef] = {**files}
    if leaf is not None:
        pair["certificate"] = b"".join(each.bytes() for each in leaf.cert_chain_pems).decode()
        pair["private_key"] = Sensitive(leaf.private_key_pem.bytes().decode())
    tls = UpstreamTls("api.example.com", ca=authority.cert_pem.bytes().decode(), **pair)  # type: ignore[arg-type]
    return config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", provider.port),), tls=tls),))


def write(leaf: trustme.LeafCert, folder: Path) -> None:
    (folder / "cert.pem").write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))


def test_upstream_is_shown_the_certificate_of_the_config() -> None:
    async def scenario() -> None:
        server, clients = trustme.CA(), trustme.CA()
        async with asking_for(clients, server) as (provider, shown), serving() as bench:
            assert () == await bench.apply(to(provider, server, leaf=clients.issue_cert("gateway.example")))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")
            assert ["gateway.example"] == shown

    run(scenario())


@pytest.mark.parametrize("strange", [False, True])
def test_upstream_that_asks_for_another_certificate_is_not_reached(*, strange: bool) -> None:
    async def scenario() -> None:
        server, clients = trustme.CA(), trustme.CA()
        leaf = trustme.CA().issue_cert("gateway.example") if strange else None
        async with asking_for(clients, server) as (provider, shown), serving() as bench:
            await bench.apply(to(provider, server, leaf=leaf))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")
            assert ([], []) == (provider.received, shown)

    run(scenario())


def test_certificate_of_a_file_is_taken_up_when_the_file_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, clients = trustme.CA(), trustme.CA()
        write(clients.issue_cert("first.example"), tmp_path)
        told: list[str] = []
        files = {"certificate": FileRef(str(tmp_path / "cert.pem")), "private_key": FileRef(str(tmp_path / "key.pem"))}
        settings = ProxySettings(admin="", files_root=str(tmp_path), limits=Limits(pool_idle=0))
        async with (
            asking_for(clients, server) as (provider, shown),
            serving(settings, report=told.append) as bench,
        ):
            await bench.apply(to(provider, server, files=files))
            await bench.exchange(GET)
            write(clients.issue_cert("second.example"), tmp_path)
            bench.pass_time(5.0)
            await bench.exchange(GET)
            (tmp_path / "cert.pem").write_text("half written")
            for _ in range(3):
                bench.pass_time(5.0)
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")
            assert ["first.example", "second.example", "second.example"] == shown
            assert 1 == len(told)
            assert told[0].startswith("Upstream provider: The certificate and private key cannot be used: ")

    run(scenario())


def test_certificate_that_was_not_there_is_taken_up_once_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, clients = trustme.CA(), trustme.CA()
        files = {"certificate": FileRef(str(tmp_path / "cert.pem")), "private_key": FileRef(str(tmp_path / "key.pem"))}
        async with (
            asking_for(clients, server) as (provider, _),
            serving(ProxySettings(admin="", files_root=str(tmp_path))) as bench,
        ):
            (problem,) = await bench.apply(to(provider, server, files=files))
            assert "cannot be read" in problem
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 502 ")
            write(clients.issue_cert("late.example"), tmp_path)
            bench.pass_time(5.0)
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 200 ")

    run(scenario())
