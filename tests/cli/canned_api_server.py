"""An API server that answers from a dictionary, and a kubeconfig that leads to it. What is not in it is not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Answer: TypeAlias = dict[str, Any] | int
"""An object, or the status of a refusal."""


class CannedApiServer:
    """``answers`` by path, without the query; ``asked`` are the requests with path, query and ``Accept``."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.answers: dict[str, Answer] = {}
        self.everything: int | None = None
        """The status of every answer, if it is one and the same."""
        self.asked: list[tuple[str, str, str]] = []

    def answer(self, path: str, query: str, accept: str) -> tuple[int, bytes]:
        self.asked.append((path, query, accept))
        found = self.answers.get(path, 404) if self.everything is None else self.everything
        if isinstance(found, int):
            return found, json.dumps({"kind": "Status", "code": found, "reason": "X", "message": "no"}).encode()
        return 200, json.dumps(found).encode()

    def put_list(self, path: str, *items: dict[str, Any]) -> None:
        self.answers[path] = {"kind": "List", "metadata": {"resourceVersion": "7"}, "items": list(items)}


@contextmanager
def canned_api_server(folder: Path) -> Iterator[CannedApiServer]:
    """Serve until the block ends."""
    canned = CannedApiServer(folder / "kubeconfig")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            status, body = canned.answer(path, query, self.headers.get("Accept", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    canned.kubeconfig.write_text(kubeconfig_text(f"http://127.0.0.1:{server.server_port}"))
    try:
        yield canned
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig_text(server: str) -> str:
    """A kubeconfig without credentials."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )
