"""Servers that write down each request that reached them whole: method, target and body, a line each.

It is loaded by whatever runs it, so it knows no package: ``uvicorn recording:asgi``, ``gunicorn recording:wsgi``. The
line is written before the answer, so whoever has the answer finds the line. ``WARDGATE_RECORDS`` names the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

_Message = MutableMapping[str, Any]


def record(file: Path, method: bytes, *, target: bytes, body: bytes) -> None:
    """Write one request down."""
    line = json.dumps([method.decode("latin-1"), target.decode("latin-1"), body.decode("latin-1")])
    with file.open("a", encoding="ascii") as records:
        records.write(line + "\n")


def recorded(file: Path) -> list[tuple[bytes, bytes, bytes]]:
    """Return what was written down so far."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]
    return [(row[0].encode("latin-1"), row[1].encode("latin-1"), row[2].encode("latin-1")) for row in rows]


def _file() -> Path:
    return Path(os.environ["WARDGATE_RECORDS"])


async def asgi(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """Answer as an ASGI application."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return  # the request was cut off
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    record(_file(), scope["method"].encode(), target=target, body=body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Answer as a WSGI application; ``RAW_URI`` is gunicorn's."""
    body = environ["wsgi.input"].read()
    if len(body) >= int(environ.get("CONTENT_LENGTH") or 0):
        target = environ["RAW_URI"].encode("latin-1")
        record(_file(), environ["REQUEST_METHOD"].encode("latin-1"), target=target, body=body)
    start_response("200 OK", [("Content-Length", "2")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"ok"]
