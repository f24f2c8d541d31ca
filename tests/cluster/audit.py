"""Who asked the API server for what: its audit log, from a mark on.

The server logs a request as it receives it and once more as it has answered it. Others see what the request did between
the two, so a log that is read then would lack it: ``in_flight`` tells for which answers to wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECEIVED: Final = "RequestReceived"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One request in one stage: ``RequestReceived``, ``ResponseStarted`` for a watch, then ``ResponseComplete``.

    ``identity`` is the same in every stage; ``position`` is the byte of the log where the event begins.
    """

    position: int
    identity: str
    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    stage: str
    uri: str
    user_agent: str


def answered(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """The answers to those of the requests that were received in this part of the log."""
    events = list(events)
    received = {event.identity for event in events if event.stage == RECEIVED}
    return [event for event in events if event.stage != RECEIVED and event.identity in received]


def in_flight(events: Iterable[AuditEvent], *, marker: str, start: int) -> set[str]:
    """The URIs of requests without an answer, received from byte ``start`` on and before the request ``marker``."""
    waiting: dict[str, str] = {}
    is_before = True
    for event in events:
        if event.uri == marker:
            is_before = False
        elif event.stage != RECEIVED:
            waiting.pop(event.identity, None)
        elif is_before and event.position >= start:
            waiting[event.identity] = event.uri
    return set(waiting.values())


def read_events(log: Path, *, start: int) -> Iterator[AuditEvent]:
    """Give the events that stand in the log from byte ``start`` on; a last line that is half written is left out."""
    if not log.exists():
        return
    with log.open("rb") as file:
        file.seek(start)
        position = start
        for line in file:
            if line.endswith(b"\n"):
                yield _event(json.loads(line), position)
            position += len(line)


def _event(record: dict[str, Any], position: int) -> AuditEvent:
    target = record.get("objectRef", {})
    return AuditEvent(
        position=position,
        identity=record["auditID"],
        user=record["user"].get("username", ""),
        verb=record["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=record.get("responseStatus", {}).get("code", 0),
        stage=record["stage"],
        uri=record["requestURI"],
        user_agent=record.get("userAgent", ""),
    )
