"""One keep-alive connection on a plain socket: the cheapest caller that Python has."""

from __future__ import annotations

import socket
import ssl

from benchmarks.gateways.peers.site import KEY_HEADER, key

SECONDS = 90.0


class CallerError(Exception):
    """The connection ended, or the response is not 200 with a length."""


class Caller:
    """Sends the next request when the last one is answered."""

    def __init__(
        self, port: int, *, headers: str = f"{KEY_HEADER}: {key(0)}\r\n", tls: ssl.SSLContext | None = None
    ) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self._headers = headers

    @property
    def protection(self) -> str:
        """The version and the cipher of the connection's TLS; empty without."""
        tls = self._socket
        return f"{tls.version()} {(tls.cipher() or [None])[0]}" if isinstance(tls, ssl.SSLSocket) else ""

    def get(self, path: str) -> str:
        """Return the body of the response. Raises ``CallerError`` and ``OSError``."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nhost: gateway.test\r\n{self._headers}\r\n".encode())
        return self._response()

    def post(self, path: str, body: bytes) -> str:
        """Send a body; return that of the response. Raises ``CallerError`` and ``OSError``."""
        head = f"POST {path} HTTP/1.1\r\nhost: gateway.test\r\n{self._headers}content-length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        return self._response()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _response(self) -> str:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more(got)
        head, _, body = got.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if not head.startswith(b"HTTP/1.1 200 ") or not lengths:
            raise CallerError(f"The response is not 200 with a length: {got[:300]!r}")
        while len(body) < int(lengths[0]):
            body += self._more(body)
        return body.decode()

    def _more(self, got: bytes) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise CallerError(f"The connection ended after {got[:300]!r}")
        return data
