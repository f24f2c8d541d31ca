"""Who asked the API server for what: its audit log, from a mark on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One request that was answered, or one watch that began (``stage`` is then ``ResponseStarted``)."""

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


def read_events(log: Path, *, start: int) -> Iterator[AuditEvent]:
    """Give the events that stand in the log from byte ``start`` on; a last line that is half written is left out."""
    if not log.exists():
        return
    with log.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                yield _event(json.loads(line))


def _event(record: dict[str, Any]) -> AuditEvent:
    target = record.get("objectRef", {})
    return AuditEvent(
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
