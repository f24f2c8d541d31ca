"""Binding ports: one socket a worker, and a sentence with a remedy when it fails."""

from __future__ import annotations

import errno
import socket

import pytest

from wardgate.proxy import sockets
from wardgate.proxy.sockets import BindError, bind


def test_every_worker_gets_a_socket_on_the_same_port() -> None:
    bound = bind(hosts="127.0.0.1", port=0, listener_port=80, count=3)
    ports = {sock.getsockname()[1] for (sock,) in bound.sockets}
    assert len(bound.sockets) == 3
    assert len(ports) == 1
    assert bound.address == f"127.0.0.1:{ports.pop()}"
    assert bound.port == 80
    bound.close()


def test_an_ipv6_address_is_bound_and_shown_in_brackets() -> None:
    bound = bind(hosts="::1", port=0, listener_port=80, count=1)
    assert bound.address.startswith("[::1]:")
    bound.close()


def callers_of(address: str) -> tuple[str, ...]:
    """The loopback addresses at which a port answers."""
    port, found = int(address.rpartition(":")[2]), []
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=5).close()
        except ConnectionRefusedError:
            continue
        found.append(host)
    return tuple(found)


@pytest.mark.parametrize(
    ("hosts", "served"),
    [
        ("::", ("127.0.0.1", "::1")),
        ("0.0.0.0", ("127.0.0.1",)),
        ("::1", ("::1",)),
        ("0.0.0.0,::", ("127.0.0.1", "::1")),
        ("127.0.0.1,::1", ("127.0.0.1", "::1")),
    ],
)
def test_addresses_are_served_together(hosts: str, served: tuple[str, ...]) -> None:
    bound = bind(hosts=hosts, port=0, listener_port=80, count=2)
    assert served == callers_of(bound.address)
    assert [len(hosts.split(","))] * 2 == [len(sockets) for sockets in bound.sockets]
    bound.close()


def test_no_address_stays_bound_where_one_of_them_cannot_be() -> None:
    # A port that is free in both families, of which one is then given up.
    free = bind(hosts="127.0.0.1", port=0, listener_port=80, count=1)
    port = int(free.address.rpartition(":")[2])
    taken = bind(hosts="::1", port=port, listener_port=80, count=1)
    free.close()
    with pytest.raises(BindError, match=rf"Port {port} of ::1 is in use"):
        bind(hosts="127.0.0.1,::1", port=port, listener_port=80, count=2)
    taken.close()
    bind(hosts="127.0.0.1", port=port, listener_port=80, count=1).close()


def test_a_port_in_use_is_said_so_even_if_it_could_be_shared() -> None:
    first = bind(hosts="127.0.0.1", port=0, listener_port=80, count=1)
    port = first.sockets[0][0].getsockname()[1]
    with pytest.raises(BindError, match=rf"Port {port} of 127.0.0.1 is in use .* --port 80=8080"):
        bind(hosts="127.0.0.1", port=port, listener_port=80, count=1)
    first.close()


def test_an_address_of_another_machine_is_said_so() -> None:
    with pytest.raises(BindError, match=r"no address 192\.0\.2\.1; choose another one with --bind"):
        bind(hosts="192.0.2.1", port=0, listener_port=80, count=1)


@pytest.mark.parametrize(
    ("number", "text"), [(errno.EACCES, "needs privileges"), (errno.EMFILE, "cannot be bound: Too many open files")]
)
def test_other_failures_are_explained(number: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(number, "Too many open files")

    monkeypatch.setattr(sockets, "_listen", refuse)
    with pytest.raises(BindError, match=text):
        bind(hosts="127.0.0.1", port=0, listener_port=80, count=1)


def test_a_socket_that_can_not_listen_is_closed() -> None:
    with pytest.raises(OSError, match=r"."):
        sockets._listen("192.0.2.1", 0, dual=False)


@pytest.mark.parametrize(
    ("number", "address", "text"),
    [
        (
            errno.EADDRINUSE,
            "127.0.0.1:9901",
            (
                "Port 9901 of 127.0.0.1 is in use by another process; choose another with --admin 127.0.0.1:9902, "
                "or none with --admin none."
            ),
        ),
        (
            errno.EADDRINUSE,
            "[::1]:65535",
            (
                "Port 65535 of ::1 is in use by another process; choose another with --admin [::1]:65534, "
                "or none with --admin none."
            ),
        ),
        (
            errno.EACCES,
            "127.0.0.1:80",
            (
                "Port 80 of 127.0.0.1 needs privileges that this process does not have; choose one above 1023 with "
                "--admin, or none with --admin none."
            ),
        ),
        (
            errno.EADDRNOTAVAIL,
            "192.0.2.1:9901",
            "This machine has no address 192.0.2.1; choose another one with --admin.",
        ),
        (
            errno.EMFILE,
            "127.0.0.1:9901",
            "The admin address 127.0.0.1:9901 cannot be bound: Too many open files; choose another one with --admin.",
        ),
    ],
)
def test_an_admin_address_that_can_not_be_bound_has_its_remedy(number: int, address: str, text: str) -> None:
    error = OSError(number, "error while attempting to bind on an address")
    assert text == BindError.explain_admin(error, address=address)


def test_an_admin_failure_without_a_number_keeps_its_words() -> None:
    text = BindError.explain_admin(OSError("could not bind on any address"), address="127.0.0.1:9901")
    assert "cannot be bound: could not bind on any address; choose another one with --admin." in text
