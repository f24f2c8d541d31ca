"""Requests that have ended, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from wardgate.proxy.request_record import RequestRecord


def record(**changes: Any) -> RequestRecord:
    """A settled request: asked of an upstream after 0.2 ms, its first byte there after 250, whole after 1,250."""
    made = RequestRecord(b"POST", b"/v1/chat", request_id=b"a1", peer="10.1.2.3", started=100.0)
    made.ended_at, made.origin = 1767225600.1256, '"listener":"main"'
    made.asked, made.first_byte, made.attempts = 100.0002, 100.25, 1
    made.status, made.received, made.sent = 200, 512, 2048
    ended = changes.pop("ended", 101.25)
    for name, value in changes.items():
        setattr(made, name, value)
    made.settle(ended)
    return made
