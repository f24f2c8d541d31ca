"""HTTP/1.1 for the stand-in: a thread a connection, keep-alive, chunked bodies both ways, TLS if given a context.

Paths that begin with ``/__`` steer the stand-in and are never recorded: ``GET /__received`` gives the records,
``DELETE /__received`` forgets them, ``POST /__release`` lets held streams go on.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from answers import Answer, answer
from received import Received, Recorder, as_document, credentials_seen, record

HELD_SECONDS = 30.0
"""A held stream that nobody releases goes on after so long."""
IDLE_SECONDS = 120.0
LARGEST_BODY = 256 * 1024 * 1024


@dataclass(slots=True)
class Behaviour:
    """How this provider behaves. ``delay`` in seconds, between two pieces of a stream."""

    show_tokens: bool = False
    delay: float = 0.0
    hold_streams: bool = False
    recorder: Recorder = field(default_factory=Recorder)
    released: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)


class BadBodyError(Exception):
    """The request's body is not framed as HTTP/1.1 demands."""


class ProviderServer(ThreadingHTTPServer):
    """Listens at once; TLS handshakes run in the connection's own thread, so that a silent client blocks nobody."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], *, behaviour: Behaviour, context: ssl.SSLContext | None) -> None:
        self.behaviour = behaviour
        self.context = context
        super().__init__(address, ProviderHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept, and wrap in TLS without shaking hands yet."""
        connection, address = super().get_request()
        connection.settimeout(IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line what went wrong with a connection; the others go on."""
        del request
        print(f"provider: a connection from {client_address[0]} broke off", flush=True)


class ProviderHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "stand-in-provider"
    sys_version = ""
    server: ProviderServer

    def setup(self) -> None:
        """Shake hands, then go on as usual."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def handle(self) -> None:
        """Serve requests until the peer has enough of it."""
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Be silent: ``_respond`` prints one line a request."""

    def handle_one_request(self) -> None:
        """Route every method to one place; the base class would want a ``do_X`` for each."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        try:
            body = self._read_body()
        except BadBodyError as error:
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            return
        path = self.path.partition("?")[0]
        if path.startswith("/__"):
            self._steer(path)
        else:
            self._respond(path, body)
        self.wfile.flush()

    def _read_body(self) -> bytes:
        coding = (self.headers.get("transfer-encoding") or "").lower()
        if coding == "chunked":
            return self._read_chunks()
        if coding:
            raise BadBodyError("Only the chunked transfer coding is known here.")
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise BadBodyError("The content-length cannot be used.")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise BadBodyError("The body ended early.")
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > LARGEST_BODY:
                raise BadBodyError("The body is too large.")
            body += self.rfile.read(size)
            if self.rfile.read(2) != b"\r\n":
                raise BadBodyError("A chunk does not end where it says.")
        while self.rfile.readline(65537).strip():
            pass  # trailers
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self.rfile.readline(1024).partition(b";")[0].strip()
        if not line or line.strip(b"0123456789abcdefABCDEF"):
            raise BadBodyError("A chunk has no size.")
        return int(line, 16)

    def _steer(self, path: str) -> None:
        behaviour = self.server.behaviour
        if path == "/__received" and self.command == "GET":
            self._send_json(Answer(document=[as_document(each) for each in behaviour.recorder.all()]))
        elif path == "/__received" and self.command == "DELETE":
            behaviour.recorder.clear()
            self._send_json(Answer(document={}))
        elif path == "/__release" and self.command == "POST":
            behaviour.released.set()
            self._send_json(Answer(document={}))
        else:
            self._send_json(Answer(status=404, document={"error": "GET or DELETE /__received, POST /__release."}))

    def _respond(self, path: str, body: bytes) -> None:
        received = record(
            method=self.command,
            path=self.path,
            headers=list(self.headers.items()),
            body_bytes=len(body),
            secure=isinstance(self.request, ssl.SSLSocket),
            show_tokens=self.server.behaviour.show_tokens,
        )
        self.server.behaviour.recorder.add(received)
        chosen = answer(method=self.command, path=path, body=body)
        path, credentials = _shown(received.path), _shown(credentials_seen(received))
        print(f"provider: {self.command} {path} {chosen.status}  {credentials}", flush=True)
        if chosen.events:
            self._send_events(chosen, received)
        else:
            self._send_json(chosen, received)

    def _send_head(self, chosen: Answer, received: Received | None) -> None:
        self.send_response(chosen.status)
        for name, value in chosen.headers.items():
            self.send_header(name, value)
        if received is not None:
            self.send_header("x-provider-saw", credentials_seen(received))

    def _send_json(self, chosen: Answer, received: Received | None = None) -> None:
        document = chosen.document
        if received is not None:
            document = _with_received(document, received)
        payload = json.dumps(document).encode() + b"\n"
        self._send_head(chosen, received)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def _send_events(self, chosen: Answer, received: Received) -> None:
        self._send_head(chosen, received)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        behaviour = self.server.behaviour
        for number, piece in enumerate(chosen.events):
            if number:
                behaviour.stopping.wait(behaviour.delay)
            if number and behaviour.hold_streams:
                behaviour.released.wait(HELD_SECONDS)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _with_received(document: Any, received: Received) -> Any:
    """Add a field ``received``; where the answer is a list, to its first element."""
    shown = {"received": as_document(received)}
    if isinstance(document, list):
        return [document[0] | shown, *document[1:]]
    return document | shown


def _shown(text: str) -> str:
    """A caller's text, as a terminal may show it."""
    return ascii(text)[1:-1]
