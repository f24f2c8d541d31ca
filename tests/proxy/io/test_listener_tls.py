"""Listeners with TLS: certificates in the config and in files, callers' certificates, rotation."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from tests.proxy.io.bench import OK, Bench, answering, config, providing, run, serving, settle
from wardgate.ir import Endpoint, FileRef, GatewayConfig, ListenerTls, ServerCertificate, Upstream, UpstreamTls
from wardgate.proxy.core.origin.front import NO_PROXIES
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.listening.accept_queue import Arrivals
from wardgate.proxy.io.listening.acceptor import Acceptor, Opening
from wardgate.proxy.io.tls import TlsConfigError, TlsFactory
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.sensitive import Sensitive

GET = b"GET / HTTP/1.1\r\nHost: gw.example.com\r\nConnection: close\r\n\r\n"


def tls_of(authority: trustme.CA, **changes: Any) -> ListenerTls:
    leaf = authority.issue_cert("gw.example.com")
    chain = "".join(blob.bytes().decode() for blob in leaf.cert_chain_pems)
    tls = ListenerTls(chain, Sensitive(leaf.private_key_pem.bytes().decode()))
    return replace(tls, **changes)


def with_tls(port: int, tls: ListenerTls) -> GatewayConfig:
    base = config(port)
    return replace(base, listeners=(replace(base.listeners[0], tls=tls),))


async def ask(
    bench: Bench,
    authority: trustme.CA,
    *,
    client: trustme.LeafCert | None = None,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """A request over TLS, verified; empty if the gateway hangs up."""
    context = context or ssl.create_default_context()
    authority.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", bench.port, ssl=context, server_hostname="gw.example.com"
        )
        writer.write(GET)
        answer = await reader.read()
        writer.close()
    except (ConnectionError, ssl.SSLError):
        return b""
    return answer


def test_a_listener_serves_its_certificate_and_a_new_one_without_a_restart() -> None:
    async def scenario() -> None:
        first, second = trustme.CA(), trustme.CA()
        async with providing(answering(OK)) as provider, serving() as bench:
            assert await bench.apply(with_tls(provider.port, tls_of(first))) == ()
            assert (await ask(bench, first)).endswith(b"ok")
            await bench.apply(with_tls(provider.port, tls_of(second)))
            assert (await ask(bench, second)).endswith(b"ok")
            assert await ask(bench, first) == b""

    run(scenario())


def test_connections_go_on_over_a_rotation_and_new_ones_get_the_new_certificate() -> None:
    async def scenario() -> None:
        first, second = trustme.CA(), trustme.CA()
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, tls_of(first)))
            context = ssl.create_default_context()
            first.configure_trust(context)
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", bench.port, ssl=context, server_hostname="gw.example.com"
            )
            begun = await bench.connect()  # its handshake is still to come
            await settle(lambda: bench.gateway.context.ports.opening == 1)
            for rotation in range(3):
                writer.write(GET.replace(b"Connection: close\r\n", b""))
                assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
                await bench.apply(with_tls(provider.port, tls_of(second)))
                assert (await ask(bench, second)).endswith(b"ok"), rotation
            assert await ask(bench, first) == b""
            await settle(lambda: bench.gateway.context.ports.opening == 1)
            begun.close()
            writer.close()

    run(scenario())


def test_certificate_of_files_is_replaced_when_they_change(tmp_path: Path) -> None:
    def write(tls: ListenerTls) -> None:
        assert isinstance(tls.certificate, str)
        assert isinstance(tls.private_key, Sensitive)
        (tmp_path / "tls.crt").write_text(tls.certificate)
        (tmp_path / "tls.key").write_text(tls.private_key.reveal())

    async def scenario() -> None:
        first, second, third = trustme.CA(), trustme.CA(), trustme.CA()
        said: list[str] = []
        settings = ProxySettings(admin="", files_root=str(tmp_path))
        files = ListenerTls(FileRef(str(tmp_path / "tls.crt")), FileRef(str(tmp_path / "tls.key")))
        async with providing(answering(OK)) as provider, serving(settings, report=said.append) as bench:
            ports = bench.gateway.context.ports

            async def reread() -> None:
                bench.pass_time(10.0)
                await settle(lambda: not ports.outdated())

            # They come after the gateway, change, are half written for a moment, and change again.
            (problem,) = await bench.apply(with_tls(provider.port, files))
            assert problem.endswith("tls.key cannot be read: No such file or directory.")
            assert await ask(bench, first) == b""
            for authority in (first, second):
                write(tls_of(authority))
                await reread()
                assert (await ask(bench, authority)).endswith(b"ok")
            assert [] == said
            (tmp_path / "tls.key").write_text("half")
            await reread()
            assert ["Listener main: The certificate and private key cannot be used:"] == [one[:62] for one in said]
            assert (await ask(bench, second)).endswith(b"ok")
            write(tls_of(third))
            await reread()
            assert (await ask(bench, third)).endswith(b"ok")
            assert 1 == len(said)

    run(scenario())


@pytest.mark.parametrize(
    ("minimum", "spoken", "served"),
    [
        ("TLSv1_2", ssl.TLSVersion.TLSv1_1, False),
        ("TLSv1_2", ssl.TLSVersion.TLSv1_2, True),
        ("TLSv1_3", ssl.TLSVersion.TLSv1_2, False),
        ("TLSv1_3", ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_version_below_the_minimum_gets_no_handshake(minimum: Any, spoken: ssl.TLSVersion, *, served: bool) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, tls_of(authority, minimum_version=minimum)))
            context = ssl.create_default_context()
            authority.configure_trust(context)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, spoken
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            assert served == (await ask(bench, authority, context=context)).endswith(b"ok")

    run(scenario())


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None), ([], None)]
)
def test_alpn_chooses_http_1_1_alone(offered: list[str], chosen: str | None) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        async with serving() as bench:
            await bench.apply(with_tls(1, tls_of(authority)))
            context = ssl.create_default_context()
            authority.configure_trust(context)
            if offered:
                context.set_alpn_protocols(offered)
            _, writer = await asyncio.open_connection(
                "127.0.0.1", bench.port, ssl=context, server_hostname="gw.example.com"
            )
            assert chosen == writer.get_extra_info("ssl_object").selected_alpn_protocol()
            writer.close()

    run(scenario())


def shown_to(bench: Bench, name: str | None, *, client: trustme.LeafCert | None = None) -> tuple[str, ...]:
    """The names in the certificate that a caller gets who asks for this host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client is not None:
        client.configure_cert(context)
    with (
        socket.create_connection(("127.0.0.1", bench.port), timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=name) as tls,
    ):
        tls.sendall(GET)
        assert tls.recv(9) == b"HTTP/1.1 "
        assert tls.selected_alpn_protocol() is None
        der = tls.getpeercert(binary_form=True)
    assert der is not None
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return tuple(names.value.get_values_for_type(x509.DNSName))


def pair(authority: trustme.CA, *hosts: str) -> ServerCertificate:
    leaf = authority.issue_cert(*hosts)
    chain = "".join(blob.bytes().decode() for blob in leaf.cert_chain_pems)
    return ServerCertificate(chain, Sensitive(leaf.private_key_pem.bytes().decode()), hosts)


def with_several(authority: trustme.CA, **changes: Any) -> ListenerTls:
    others = (pair(authority, "api.example.com"), pair(authority, "*.example.com"), pair(authority, "*.eu.example.com"))
    return tls_of(authority, hosts=("gw.example.com",), others=others, **changes)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("api.example.com", "api.example.com"),
        ("API.example.com", "api.example.com"),
        ("gw.example.com", "gw.example.com"),
        ("shop.example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("a.eu.example.com", "*.eu.example.com"),
        ("example.com", "gw.example.com"),
        ("other.example.org", "gw.example.com"),
        (None, "gw.example.com"),
    ],
)
def test_host_that_the_caller_asks_for_chooses_the_certificate(name: str | None, shown: str) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            assert () == await bench.apply(with_tls(provider.port, with_several(trustme.CA())))
            assert (shown,) == await asyncio.to_thread(shown_to, bench, name)

    run(scenario())


def test_host_that_is_asked_for_leads_past_no_check_of_the_callers_certificate() -> None:
    async def scenario() -> None:
        server, clients, strangers = trustme.CA(), trustme.CA(), trustme.CA()
        mutual = with_several(server, client_ca=clients.cert_pem.bytes().decode(), subject_alt_names=("team.test",))
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, mutual))
            for name in ("api.example.com", "shop.example.com", "gw.example.com"):
                good = clients.issue_cert("team.test")
                assert (await asyncio.to_thread(shown_to, bench, name, client=good))[0].endswith("example.com")
                for bad in (None, strangers.issue_cert("team.test"), clients.issue_cert("other.test")):
                    with pytest.raises((OSError, AssertionError)):
                        await asyncio.to_thread(shown_to, bench, name, client=bad)
            assert 3 == len(provider.received)

    run(scenario())


def test_callers_without_a_signed_certificate_are_kept_out_where_no_name_is_asked_for() -> None:
    async def scenario() -> None:
        server, clients, strangers = trustme.CA(), trustme.CA(), trustme.CA()
        mutual = with_several(server, client_ca=clients.cert_pem.bytes().decode())
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, mutual))
            for name in ("api.example.com", "gw.example.com"):
                assert await asyncio.to_thread(shown_to, bench, name, client=clients.issue_cert("any.test"))
                for bad in (None, strangers.issue_cert("any.test")):
                    with pytest.raises((OSError, AssertionError)):
                        await asyncio.to_thread(shown_to, bench, name, client=bad)
            assert 2 == len(provider.received)

    run(scenario())


def test_every_certificate_may_come_from_files(tmp_path: Path) -> None:
    files = ListenerTls("", Sensitive(""), others=(ServerCertificate(FileRef("/none"), FileRef("/no"), ("a.test",)),))
    factory = TlsFactory(files_root=str(tmp_path), extra_ca="")
    assert ((0, 0, 0),) * 2 == factory.stamp(files)


def test_only_callers_whose_certificate_is_signed_and_named_are_let_in() -> None:
    async def scenario() -> None:
        server, clients, strangers = trustme.CA(), trustme.CA(), trustme.CA()
        tls = tls_of(server, client_ca=clients.cert_pem.bytes().decode(), subject_alt_names=("team-a.example.com",))
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, tls))
            assert (await ask(bench, server, client=clients.issue_cert("team-a.example.com"))).endswith(b"ok")
            assert await ask(bench, server, client=clients.issue_cert("team-b.example.com")) == b""
            assert await ask(bench, server, client=strangers.issue_cert("team-a.example.com")) == b""
            assert await ask(bench, server) == b""
            assert len(provider.received) == 1

    run(scenario())


def test_a_caller_below_the_minimum_version_is_refused() -> None:
    context = TlsFactory(files_root="", extra_ca="").listener(
        tls_of(trustme.CA(), minimum_version="TLSv1_3", maximum_version="TLSv1_3")
    )
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)


def test_a_certificate_goes_on_serving_while_its_successor_can_not_be_used() -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        good = tls_of(authority)
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, good))
            problems = await bench.apply(with_tls(provider.port, replace(good, private_key=Sensitive("nonsense"))))
            assert len(problems) == 1
            assert (await ask(bench, authority)).endswith(b"ok")

    run(scenario())


def test_a_certificate_that_can_not_be_used_turns_callers_away_and_is_said_so() -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        async with providing(answering(OK)) as provider, serving() as bench:
            mismatch = tls_of(authority, private_key=tls_of(authority).private_key)
            problems = await bench.apply(with_tls(provider.port, mismatch))
            assert len(problems) == 1
            assert problems[0].startswith("Listener main: The certificate and private key cannot be used: ")
            assert await ask(bench, authority) == b""
            await bench.apply(with_tls(provider.port, tls_of(authority)))
            assert (await ask(bench, authority)).endswith(b"ok")

    run(scenario())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"cipher_suites": ("NO-SUCH-CIPHER",)}, "The cipherSuites cannot be used"),
        ({"client_ca": "nonsense"}, "The client CA cannot be used"),
    ],
)
def test_other_parts_that_can_not_be_used_are_named(change: dict[str, object], text: str) -> None:
    with pytest.raises(TlsConfigError, match=text):
        TlsFactory(files_root="", extra_ca="").listener(tls_of(trustme.CA(), **change))


def test_a_known_cipher_suite_is_taken() -> None:
    tls = tls_of(trustme.CA(), cipher_suites=("ECDHE-RSA-AES128-GCM-SHA256",))
    names = [cipher["name"] for cipher in TlsFactory(files_root="", extra_ca="").listener(tls).get_ciphers()]
    assert "ECDHE-RSA-AES128-GCM-SHA256" in names


def test_files_are_read_below_the_one_folder_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "certs", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    tls = tls_of(trustme.CA())
    assert isinstance(tls.certificate, str)
    assert isinstance(tls.private_key, Sensitive)
    for folder in (inside, outside):
        (folder / "tls.crt").write_text(tls.certificate)
        (folder / "tls.key").write_text(tls.private_key.reveal())
    (inside / "link.key").symlink_to(outside / "tls.key")
    factory = TlsFactory(files_root=str(inside), extra_ca="")

    def from_files(certificate: Path, key: Path) -> ListenerTls:
        return ListenerTls(FileRef(str(certificate)), FileRef(str(key)))

    assert (
        factory.listener(from_files(inside / "tls.crt", inside / "tls.key")).minimum_version >= ssl.TLSVersion.TLSv1_2
    )
    for escape in (outside / "tls.key", inside / "link.key", inside / ".." / "elsewhere" / "tls.key"):
        with pytest.raises(TlsConfigError, match="is not below the folder that this proxy may read"):
            factory.listener(from_files(inside / "tls.crt", escape))
    with pytest.raises(TlsConfigError, match="cannot be read: No such file"):
        factory.listener(from_files(inside / "tls.crt", inside / "missing.key"))
    with pytest.raises(TlsConfigError, match="is not below"):
        TlsFactory(files_root="", extra_ca="").listener(from_files(inside / "tls.crt", inside / "tls.key"))


def test_an_upstream_that_asks_for_a_certificate_gets_ours() -> None:
    async def scenario() -> None:
        authority, ours = trustme.CA(), trustme.CA()
        seen: list[object] = []

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(writer.get_extra_info("peercert")["subjectAltName"])
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.example.com").configure_cert(context)
        ours.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        server = await asyncio.start_server(script, "127.0.0.1", 0, ssl=context)
        leaf = ours.issue_cert("gateway.example.com")
        tls = UpstreamTls(
            "api.example.com",
            ca=authority.cert_pem.bytes().decode(),
            certificate=leaf.cert_chain_pems[0].bytes().decode(),
            private_key=Sensitive(leaf.private_key_pem.bytes().decode()),
        )
        port = server.sockets[0].getsockname()[1]
        async with serving() as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), tls=tls),)))
            assert (await bench.exchange(GET)).endswith(b"ok")
        assert seen == [(("DNS", "gateway.example.com"),)]
        server.close()

    run(scenario())


def test_a_unix_socket_is_dialled_below_the_one_folder_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        inside, outside = tmp_path / "sockets", tmp_path / "elsewhere"
        inside.mkdir()
        outside.mkdir()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            writer.close()

        servers = [await asyncio.start_unix_server(script, str(folder / "s")) for folder in (inside, outside)]
        async with serving(ProxySettings(admin="", unix_root=str(inside))) as bench:
            for folder, status in ((inside, b"200"), (outside, b"502")):
                endpoint = Endpoint("", 0, unix_path=str(folder / "s"))
                await bench.apply(config(1, upstreams=(Upstream("provider", (endpoint,)),)))
                assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 " + status)
        for server in servers:
            server.close()

    run(scenario())


def test_connections_without_a_handshake_count_for_the_address_that_made_them() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        authority = trustme.CA()
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(with_tls(provider.port, tls_of(authority)))
            attackers = [await bench.connect(address="127.0.0.2") for _ in range(8)]
            for attacker in attackers[2:]:
                assert await attacker.rest() in (b"", b"<reset>")
            assert (await ask(bench, authority)).endswith(b"ok")
            assert bench.counters.take()["refused_connections"] == [["caller_over_share", 6]]
            for attacker in attackers[:2]:
                await attacker.send(b"GET / HTTP/1.1\r\n\r\n")
                await attacker.rest()
            later = await bench.connect(address="127.0.0.2")
            assert (await ask(bench, authority)).endswith(b"ok")
            assert not later.reader.at_eof()

    run(scenario())


def test_accepting_goes_on_when_there_are_descriptors_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.proxy.io.listening.acceptor._PAUSE", 0.01)

    class Exhausted(socket.socket):
        """A listening socket for which the process has no descriptor, the first two times."""

        failures = 2

        def accept(self) -> tuple[socket.socket, Any]:
            if self.failures:
                self.failures -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    async def scenario() -> None:
        sock = Exhausted()
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        taken = asyncio.Event()
        opening = Opening(
            front=NO_PROXIES,
            context=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
            protocol=lambda _: asyncio.Protocol(),
            handshakes=Budget(1, percent=100, at_least=1),
            timeout=5.0,
            arrivals=Arrivals(),
            refused=lambda _: taken.set(),
        )
        acceptor = Acceptor(sock, opening)
        callers = [await asyncio.open_connection(*sock.getsockname()) for _ in range(2)]
        await taken.wait()
        assert sock.failures == 0
        acceptor.close()
        for _, writer in callers:
            writer.close()

    run(scenario())
