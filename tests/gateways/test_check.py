"""What is seen of a gateway before it is measured."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks.gateways.load.caller import CallerError
from benchmarks.gateways.peers.site import KEY_HEADER, Site, expected, key
from benchmarks.gateways.stage import certified, check

SECONDS = 10.0
REFUSED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


def is_good(context: ssl.SSLContext, listener: socket.socket, answer: str) -> bool:
    """Answer one caller; return whether it has shown the key."""
    accepted, _ = listener.accept()
    with context.wrap_socket(accepted, server_side=True) as caller:
        good = f"{KEY_HEADER}: {key(0)}".encode() in caller.recv(65536)
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n"
        caller.sendall((head + answer).encode() if good else REFUSED)
        return good


@contextmanager
def gateway(context: ssl.SSLContext, answer: str) -> Iterator[int]:
    """Answer callers until one has no good key; yield the port."""

    def serve() -> None:
        with suppress(OSError):
            while is_good(context, listener, answer):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS)


def checked(folder: Path, *, newest: ssl.TLSVersion, shown: str) -> str:
    """Return what is wrong with a gateway that speaks so to callers, and has the upstream show so much."""
    certificate = certified(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    context.load_cert_chain(certificate.chain, certificate.private_key)
    with gateway(context, shown) as port:
        site = Site(port=port, upstream=1, folder=folder, certificate=certificate, upstream_tls=certificate)
        try:
            check(site)
        except CallerError as wrong:
            return str(wrong)
    return ""


def test_gateway_that_protects_both_sides_as_all_do_is_measured(tmp_path: Path) -> None:
    assert "" == checked(tmp_path, newest=ssl.TLSVersion.TLSv1_3, shown=expected("/v1/seen", tls=True))


def test_gateway_with_lighter_protection_of_callers_is_not_measured(tmp_path: Path) -> None:
    said = checked(tmp_path, newest=ssl.TLSVersion.TLSv1_2, shown=expected("/v1/seen", tls=True))
    assert said.startswith("Callers get TLSv1.2 ")


@pytest.mark.parametrize("protection", ["", " TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"])
def test_gateway_with_other_protection_of_the_upstream_is_not_measured(tmp_path: Path, protection: str) -> None:
    said = checked(tmp_path, newest=ssl.TLSVersion.TLSv1_3, shown=expected("/v1/seen") + protection)
    assert said.startswith("The upstream saw ")
