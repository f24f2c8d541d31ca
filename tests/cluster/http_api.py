"""A small, quick HTTP client for an API server: one kept connection a thread, JSON in, JSON out.

Quick because tests ask often, two milliseconds a call; small because the product's own client must not test itself.
"""

from __future__ import annotations

import http.client
import json
import select
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 30.0


class ApiError(Exception):
    """The API server refused. ``str`` is its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class HttpApi:
    """Requests to one API server in one identity. Usable from several threads."""

    def __init__(self, server: str, *, ca_file: Path, token: str) -> None:
        address = urlsplit(server)
        assert address.hostname is not None
        self._host, self._port = address.hostname, address.port
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "tests"}
        self._context = ssl.create_default_context(cafile=ca_file)
        self._kept = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str | None = None,
    ) -> Any:
        """Send one request; give the parsed answer, raise ``ApiError`` for a refusal, ``OSError`` for no answer."""
        connection = self._connection()
        headers = {**self._headers, **({"Accept": accept} if accept else {})}
        if body is not None:
            headers["Content-Type"] = content_type
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            connection.request(method, target, body=None if body is None else json.dumps(body), headers=headers)
            response = connection.getresponse()
            content = response.read()
        except http.client.HTTPException as error:
            connection.close()
            raise ConnectionError(f"{method} {path}: the connection broke ({error}).") from error
        except OSError:
            connection.close()
            raise
        return _result(response.status, content)

    def stream(self, path: str, *, query: Mapping[str, str]) -> Iterator[Any]:
        """Give the JSON documents of an endless answer, one a line, on a connection of its own."""
        with closing(self._connect()) as connection:
            connection.request("GET", f"{path}?{urlencode(query)}", headers=self._headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                _result(response.status, response.read())
            for line in response:
                yield json.loads(line)

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in self._opened:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        kept: http.client.HTTPSConnection | None = getattr(self._kept, "connection", None)
        if kept is None:
            kept = self._kept.connection = self._connect()
            self._opened.append(kept)
        elif kept.sock is not None and _has_something_to_say(kept.sock):
            kept.close()
        return kept

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=TIMEOUT_SECONDS)


def _has_something_to_say(connection: ssl.SSLSocket) -> bool:
    """Whether an idle connection is readable: the server has ended it, and a request on it would be lost."""
    return bool(select.select([connection], [], [], 0)[0])


def _result(status: int, content: bytes) -> Any:
    if status < http.HTTPStatus.BAD_REQUEST:
        try:
            return json.loads(content)
        except ValueError:
            return content.decode()
    try:
        said = json.loads(content)
        raise ApiError(status, said.get("reason", ""), said.get("message", ""))
    except ValueError:
        raise ApiError(status, "", content.decode(errors="replace")) from None
