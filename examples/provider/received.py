"""What the stand-in provider was sent: one record a request, in the order of arrival.

A record exists to prove which headers reached the provider, so it keeps every header, in order, with its repetitions.
Values that look like credentials are masked unless the person at the keyboard asked for them.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
    }
)
KEPT = 500
"""Records kept; older ones are dropped, so that the stand-in can run for days."""


@dataclass(frozen=True, slots=True)
class Received:
    """``path`` includes the query, which is masked like a credential: some providers take their key there."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body_bytes: int
    secure: bool


def mask(value: str) -> str:
    """Show enough of a value to recognise it, never enough to use it."""
    scheme, space, rest = value.partition(" ")
    if space and scheme.lower() in {"bearer", "basic"}:
        return f"{scheme} {mask(rest)}"
    shown = value[:4] if len(value) > 12 else ""
    return f"{shown}...[{len(value)} characters]"


def record(
    *, method: str, path: str, headers: list[tuple[str, str]], body_bytes: int, secure: bool, show_tokens: bool
) -> Received:
    """Make a record; header names are lower case."""
    kept = tuple((name.lower(), _visible(name.lower(), value, show_tokens=show_tokens)) for name, value in headers)
    plain, question, query = path.partition("?")
    shown = f"{plain}{question}{query if show_tokens else mask(query)}" if question else path
    return Received(method=method, path=shown, headers=kept, body_bytes=body_bytes, secure=secure)


def _visible(name: str, value: str, *, show_tokens: bool) -> str:
    return mask(value) if name in CREDENTIAL_HEADERS and not show_tokens else value


def credentials_seen(received: Received) -> str:
    """Name the credentials of a request in one line, for a response header and the log."""
    seen = [f"{name}: {' '.join(value.split())}" for name, value in received.headers if name in CREDENTIAL_HEADERS]
    return ", ".join(seen) or "no credential"


def as_document(received: Received) -> dict[str, Any]:
    """Give a record as JSON; headers stay a list of pairs, because a name may occur twice."""
    return asdict(received)


class Recorder:
    """The last ``KEPT`` records, shared by the threads that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Received] = []

    def add(self, received: Received) -> None:
        """Append a record."""
        with self._lock:
            self._records = [*self._records[-KEPT + 1 :], received]

    def all(self) -> list[Received]:
        """Every record kept, oldest first."""
        return self._records

    def clear(self) -> None:
        """Forget all records."""
        with self._lock:
            self._records = []
