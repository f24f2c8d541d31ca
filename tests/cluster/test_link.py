"""A link hurts one client's connections and nobody else's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.cluster.link import Link

SECONDS = 10.0


class Echo:
    """A server that gives back what it gets."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection: socket.socket) -> None:
        with connection:
            try:
                while content := connection.recv(65536):
                    connection.sendall(content)
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)


@pytest.fixture
def link() -> Iterator[Link]:
    echo = Echo()
    with Link(echo.port) as made:
        yield made
    echo.close()


def _dial(link: Link, *, timeout: float = SECONDS) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=timeout)


def _ask(client: socket.socket, question: bytes) -> bytes:
    client.sendall(question)
    answer = b""
    while len(answer) < len(question):
        answer += client.recv(65536)
    return answer


def test_bytes_pass_both_ways(link: Link) -> None:
    with _dial(link) as client:
        assert _ask(client, b"ping") == b"ping"
        assert link.connections == 1


def test_more_than_all_buffers_hold_passes_unchanged(link: Link) -> None:
    content = bytes(range(256)) * 64 * 1024
    received = bytearray()
    with _dial(link) as client:
        sending = threading.Thread(target=client.sendall, args=(content,))
        sending.start()
        while len(received) < len(content):
            received += client.recv(1 << 20)
        sending.join(SECONDS)

    assert content == bytes(received)


def test_end_of_one_side_is_passed_on(link: Link) -> None:
    with _dial(link) as client:
        _ask(client, b"ping")
        client.shutdown(socket.SHUT_WR)

        assert client.recv(1) == b""


def test_cut_resets_and_refuses(link: Link) -> None:
    with _dial(link) as client:
        _ask(client, b"ping")
        link.cut()

        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        _dial(link)


def test_restored_link_serves_at_the_same_port(link: Link) -> None:
    link.cut()
    link.restore()
    with _dial(link) as client:
        assert _ask(client, b"ping") == b"ping"


def test_frozen_link_delivers_nothing_and_loses_nothing(link: Link) -> None:
    with _dial(link) as client:
        _ask(client, b"before")
        link.freeze()
        client.sendall(b"during")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(SECONDS)
        link.restore()

        assert _ask(client, b"") + client.recv(100) == b"during"


def test_new_connection_to_a_frozen_link_hangs_until_it_is_restored(link: Link) -> None:
    link.freeze()
    with _dial(link, timeout=0.2) as client:
        client.sendall(b"ping")
        with pytest.raises(TimeoutError):
            client.recv(4)
        client.settimeout(SECONDS)
        link.restore()

        assert client.recv(4) == b"ping"


def test_killed_connections_are_reset_and_new_ones_served(link: Link) -> None:
    with _dial(link) as client:
        _ask(client, b"ping")
        link.kill_connections()

        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _dial(link) as client:
        assert _ask(client, b"ping") == b"ping"


def test_frozen_connections_hang_while_new_ones_are_served(link: Link) -> None:
    with _dial(link) as old, _dial(link) as new:
        _ask(old, b"before")
        link.freeze_connections()
        old.sendall(b"during")
        old.settimeout(0.2)
        with pytest.raises(TimeoutError):
            old.recv(1)
        old.settimeout(SECONDS)
        with _dial(link) as newest:
            assert _ask(newest, b"ping") == b"ping"
        link.restore()

        assert old.recv(100) == b"during"
        assert _ask(new, b"ping") == b"ping"


def test_frozen_link_can_be_cut(link: Link) -> None:
    with _dial(link) as client:
        _ask(client, b"ping")
        link.freeze()
        link.cut()

        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_unreachable_target_resets(link: Link) -> None:
    with Link(1) as astray, pytest.raises(ConnectionResetError), _dial(astray) as client:
        client.recv(1)


def test_closed_link_may_be_closed_again(link: Link) -> None:
    link.close()
    link.close()

    with pytest.raises(ConnectionRefusedError):
        _dial(link)
