"""Ports that tests hand to the servers they start."""

from __future__ import annotations

import socket

import pytest

from tests.cluster.ports import FIRST, free_port
from wardgate.proxy.sockets import bind


def test_server_may_listen_at_its_port() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_every_worker_of_a_proxy_may_listen_at_its_port() -> None:
    for (worker,) in bind(hosts="127.0.0.1", port=free_port(), listener_port=80, count=2).sockets:
        worker.listen()
        worker.close()


def test_port_is_given_to_nobody_else_before_its_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    monkeypatch.setattr("tests.cluster.ports.random.sample", lambda *_: [first, *range(FIRST, first)])
    assert first != free_port()


def test_nobody_answers_at_a_port_before_its_server_listens() -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", free_port())):
        pass
