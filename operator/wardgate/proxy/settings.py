"""The proxy's own settings: limits and times. Every one has a default and an option: ``docs/settings.md``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, except where a name says otherwise."""

    head_bytes: int = 64 * 1024
    """Request line and headers; above: 431."""
    header_count: int = 200
    """Header lines of a request; above: 431."""
    response_head_bytes: int = 64 * 1024
    """Status line and headers of an upstream's response; above: 502."""
    body_bytes: int = 10 * 1024 * 1024
    """A body that a plan buffers; above: 413 (request) or 502 (response)."""
    expansion: int = 100
    """Times the bytes that arrived of a coded response that a plan reads; what decodes to more: 502."""
    buffered_bytes: int = 80 * 1024 * 1024
    """All bodies that a worker buffers at once; above: 503."""
    log_bytes: int = 4 * 1024 * 1024
    """Lines of the access log that wait in one worker for a slow reader; above: the oldest are dropped."""
    connections: int = 10_000
    """Callers' connections of one worker; above: refused at accept."""
    pool_idle: int = 64
    """Idle connections kept to one upstream endpoint."""
    upstream_connections: int = 1024
    """Connections of one worker to one upstream endpoint; above: 503."""
    least_rate: int = 240
    """Bytes a second that a caller sends of a body, over ``timeouts.body``; below: 408. And that it takes of a response
    which waits for it, over ``timeouts.write``; below: cut off."""
    caller_share: int = 25
    """Per cent of buffered_bytes, connections and upstream_connections that one caller may hold; above: 429."""
    address_guesses: int = 20
    """Wrong basic passwords of one address in a minute; above: 429."""
    user_guesses: int = 5
    """Wrong basic passwords of one address for one user in a minute; above: 429."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    head: float = 15.0
    """From the first byte of a request to the end of its headers; above: 408."""
    body: float = 60.0
    """Between two pieces of a request's body, which must keep up ``limits.least_rate``; above: 408."""
    collected_body: float = 300.0
    """For a whole body that a plan collects; above: 408."""
    idle: float = 75.0
    """Of a caller's connection between two requests."""
    connect: float = 5.0
    """To resolve, connect and shake hands with an upstream; above: 504."""
    stale_addresses: float = 600.0
    """The last good addresses of a name serve for so long while no name server answers."""
    response: float = 300.0
    """From the end of the request to the response's headers, and between two pieces of its body; above: 504."""
    write: float = 60.0
    """A caller that takes less of its response than ``limits.least_rate`` for so long is cut off."""
    pool_idle: float = 50.0
    """Of an idle upstream connection."""
    drain: float = 30.0
    """From a stop signal until what is in flight is cut off."""
    revoked_grace: float = 60.0
    """What a revoked or expired key still has in flight is closed after so long."""
    worker: float = 30.0
    """A worker that says nothing for so long is replaced; one that takes a config no faster is a problem."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """See ``docs/settings.md``."""

    bind: str = "0.0.0.0"  # noqa: S104 - a gateway in a pod serves the pod's address
    ports: tuple[tuple[int, int], ...] = ()
    """(port of the listener, port to bind in its place)."""
    workers: int = 0
    """0: as many as the cgroup's CPU quota allows."""
    admin: str = "127.0.0.1:9901"
    """``ADDR:PORT`` of the admin endpoints; empty: none."""
    pins: tuple[tuple[str, str], ...] = ()
    """(``host:port``, ``addr:port`` to dial in its place)."""
    upstream_ca: str = ""
    """PEM file trusted besides the system's roots."""
    files_root: str = ""
    """The one folder below which certificate files that a config names may lie; empty: none."""
    unix_root: str = ""
    """The one folder below which unix sockets that a config names may lie; empty: none."""
    access_log: bool = True
    installation: str = ""
    """A text that all proxies of an installation share, by which they know their own requests; empty: made up."""
    max_config_age: float = 0.0
    """Seconds; every request is refused (503) while the config was confirmed longer ago. 0: however old it is."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()


def settings_to_json(settings: ProxySettings) -> bytes:
    """For the pipe to a worker."""
    return json.dumps(dataclasses.asdict(settings)).encode()


def settings_from_json(data: bytes) -> ProxySettings:
    """The other end."""
    values = json.loads(data)
    return ProxySettings(
        **{
            **values,
            "ports": tuple((listener, bound) for listener, bound in values["ports"]),
            "pins": tuple((name, address) for name, address in values["pins"]),
            "limits": Limits(**values["limits"]),
            "timeouts": Timeouts(**values["timeouts"]),
        }
    )
