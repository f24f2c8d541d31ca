"""Callers in a pod: they ask all the time, repeat nothing, and tell on port 8000 which requests were lost.

``POST /start`` starts callers for a target, ``POST /stop`` ends them; both answer with the tally so far, and so does
``GET /tally``. ``POST /ask`` sends one request and gives the whole answer. A request is lost when no answer came or one
with another status than the target's ``status``; the tally names the time (seconds since the epoch) and the reason.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

PORT = 8000
SHOWN = 200


@dataclass(frozen=True)
class Target:
    """What is asked, how, and which status is right."""

    host: str
    port: int
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 200
    pause: float = 0.02
    timeout: float = 10.0
    keep_alive: int = 2
    fresh: int = 2


class Tally:
    """Answers counted, losses told, and since when each outcome has been the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers = 0
        self.closing = 0
        self.slowest = 0.0
        self.lost: list[dict[str, Any]] = []
        self.turns: list[dict[str, Any]] = []

    def count(self, who: str, outcome: str, *, sent: float, closing: bool) -> None:
        """Take one outcome: ``ok``, or why the request is lost."""
        now = time.time()
        with self._lock:
            self.slowest = max(self.slowest, now - sent)
            if outcome == "ok":
                self.answers += 1
                self.closing += closing
            else:
                self.lost.append({"at": sent, "took": now - sent, "who": who, "why": outcome})
            if not self.turns or self.turns[-1]["outcome"] != outcome:
                self.turns.append({"at": now, "outcome": outcome})

    def told(self) -> dict[str, Any]:
        """Give it as a document."""
        with self._lock:
            return {
                "answers": self.answers,
                "closing": self.closing,
                "slowest": self.slowest,
                "lost": len(self.lost),
                "first_lost": self.lost[:SHOWN],
                "turns": self.turns[-SHOWN:],
            }


class Callers:
    """The callers of one target, each in a thread of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stopping = threading.Event()
        self.tally = Tally()
        names = [
            *(f"keep-alive {n}" for n in range(target.keep_alive)),
            *(f"fresh {n}" for n in range(target.fresh)),
        ]
        self._threads = [threading.Thread(target=self._ask_on, args=(name,), name=name, daemon=True) for name in names]

    def start(self) -> None:
        """Start all."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all; a request that is under way is waited for."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(self._target.timeout + 1)

    def _ask_on(self, who: str) -> None:
        lasting = who.startswith("keep-alive")
        connection = self._connect()
        while not self._stopping.is_set():
            sent = time.time()
            outcome, closing = self._outcome(connection)
            self.tally.count(who, outcome, sent=sent, closing=closing)
            if not lasting or outcome != "ok":
                connection.close()
                connection = self._connect()
            self._stopping.wait(self._target.pause)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._target.host, self._target.port, timeout=self._target.timeout)

    def _outcome(self, connection: http.client.HTTPConnection) -> tuple[str, bool]:
        phase = "connect"
        try:
            if connection.sock is None:
                connection.connect()
            phase = "answer"
            status, headers, _ = send(connection, self._target)
        except ConnectionRefusedError:
            return "refused", False
        except (OSError, http.client.HTTPException) as error:
            return f"no {phase}: {error!r}", False
        return "ok" if status == self._target.status else f"status {status}", headers.get("connection") == "close"


def send(connection: http.client.HTTPConnection, target: Target) -> tuple[int, dict[str, str], bytes]:
    """Send one request; give status, headers in lower case, and body."""
    connection.request(target.method, target.path, body=target.body.encode() or None, headers=target.headers)
    response = connection.getresponse()
    body = response.read()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def ask(target: Target) -> dict[str, Any]:
    """Send one request on a connection of its own; status 0 where no answer came."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=target.timeout)
    try:
        status, headers, body = send(connection, target)
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "headers": {}, "body": repr(error)}
    finally:
        connection.close()
    return {"status": status, "headers": headers, "body": body.decode("utf-8", "replace")}


class Desk(BaseHTTPRequestHandler):
    """Takes orders from the test."""

    groups: dict[str, Callers] = {}  # noqa: RUF012 - one table for all requests, each of which has a handler of its own

    def do_GET(self) -> None:
        """Answer ``/tally?group``, and anything else with an empty document."""
        callers = self.groups.get(unquote(self.path.partition("?")[2]))
        self._answer(callers.tally.told() if callers else {})

    def do_POST(self) -> None:
        """Obey ``/start``, ``/stop`` and ``/ask``."""
        order = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        if self.path == "/ask":
            self._answer(ask(Target(**order)))
            return
        name = order.pop("group")
        if self.path == "/start":
            self.groups[name] = Callers(Target(**order))
            self.groups[name].start()
        else:
            self.groups[name].stop()
        self._answer(self.groups[name].tally.told())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Be silent."""

    def _answer(self, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Take orders until the pod ends."""
    ThreadingHTTPServer(("", PORT), Desk).serve_forever()


if __name__ == "__main__":
    main()
