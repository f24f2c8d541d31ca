"""The proxy's own settings: limits and times. ``docs/settings.md`` has a row for each."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from wardgate.setting import FRACTION, NAME, PROTOCOLS, SIZE, by_option, count, seconds, setting


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, except where a name says otherwise."""

    head_bytes: int = setting(64 * 1024, SIZE)
    """Request line and headers; above: 431."""
    target_bytes: int = setting(16 * 1024, SIZE)
    """The target of a request, its query included; above: 414."""
    header_count: int = setting(200, count())
    """Header lines of a request; above: 431."""
    response_head_bytes: int = setting(64 * 1024, SIZE)
    """Status line and headers of an upstream's response; above: 502."""
    informational_responses: int = setting(20, count())
    """Responses with a status below 200 before an upstream's response; above: 502."""
    body_bytes: int = setting(10 * 1024 * 1024, SIZE)
    """A body that a plan buffers; above: 413 (request) or 502 (response)."""
    expansion: int = setting(100, count())
    """Times the bytes that arrived of a coded response that a plan reads; what decodes to more: 502."""
    buffered_bytes: int = setting(80 * 1024 * 1024, SIZE)
    """All bodies that a worker buffers at once; above: 503."""
    log_bytes: int = setting(4 * 1024 * 1024, SIZE)
    """Lines of the access log that wait in one worker for a slow reader; above: the oldest are dropped."""
    connections: int = setting(10_000, count())
    """Callers' connections of one worker; above: 503, or closed at once."""
    requests: int = setting(5_000, count())
    """Requests that one worker has in flight; above: 503."""
    remembered_lines: int = setting(4096, count(lowest=0))
    """Header lines that a worker remembers for its fast path, and a quarter of the outcomes; 0: no fast path."""
    pool_idle: int = setting(64, count(lowest=0))
    """Idle connections kept to one upstream endpoint."""
    upstream_connections: int = setting(1024, count())
    """Connections of one worker to one upstream endpoint; above: requests wait for one."""
    upstream_queue: int = setting(1024, count())
    """Requests of one worker that wait for a connection to one upstream endpoint; above: 503."""
    endpoint_failures: int = setting(5, count(lowest=0))
    """Failures in a row of one of several endpoints, after which it gets no requests for a while. 0: never."""
    least_rate: int = setting(240, count())
    """Bytes a second that a caller sends of a body, over ``timeouts.body``; below: 408. And that it takes of a response
    which waits for it, over ``timeouts.write``; below: cut off."""
    caller_share: int = setting(25, count(highest=100))
    """Per cent of buffered_bytes, connections, upstream_connections and upstream_queue that one caller may hold;
    above: 429."""
    address_guesses: int = setting(20, count())
    """Wrong basic passwords of one address in a minute; above: 429."""
    user_guesses: int = setting(5, count())
    """Wrong basic passwords of one address for one user in a minute; above: 429."""
    metric_keys: int = setting(100, count(lowest=0))
    """Names of keys that the metrics tell apart; all other keys count as ``other``."""
    metric_series: int = setting(10_000, count(lowest=0))
    """Series of requests that have a key's name; what would need more counts as ``other``."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    head: float = setting(15.0, seconds())
    """From the first byte of a request to the end of its headers; above: 408."""
    body: float = setting(60.0, seconds())
    """Between two pieces of a request's body, which must keep up ``limits.least_rate``; above: 408."""
    collected_body: float = setting(300.0, seconds())
    """For a whole body that a plan collects; above: 408."""
    idle: float = setting(75.0, seconds())
    """Of a caller's connection between two requests."""
    connect: float = setting(5.0, seconds())
    """To resolve, connect and shake hands with an upstream; above: 504."""
    tcp_keep_alive: float = setting(45.0, seconds(lowest=0, highest=7200))
    """Of silence on an upstream connection, until it is probed. 0: never."""
    stale_addresses: float = setting(600.0, seconds(lowest=0))
    """The last good addresses of a name serve for so long while no name server answers."""
    response_head: float = setting(600.0, seconds())
    """From the end of the request to the response's headers; above: 504. A model may think for minutes."""
    response_idle: float = setting(300.0, seconds())
    """Between two pieces of a response's body; above: 504, or cut off where it had begun."""
    stream_idle: float = setting(600.0, seconds())
    """Between two pieces of an event stream, which may last as long as it moves."""
    request: float = setting(3600.0, seconds(lowest=0))
    """From a request's head until its response begins, or is collected; above: 504. 0: however long."""
    upgraded_idle: float = setting(300.0, seconds())
    """A WebSocket, or another protocol, of which neither side has sent anything for so long is cut off."""
    write: float = setting(60.0, seconds())
    """A caller that takes less of its response than ``limits.least_rate`` for so long is cut off."""
    upstream_queue: float = setting(5.0, seconds(lowest=0))
    """Of a request in line for a connection to an upstream; above: 503. 0: there is no line."""
    ejection: float = setting(10.0, seconds())
    """Of an endpoint that failed ``limits.endpoint_failures`` times in a row; twice as long each time after."""
    longest_ejection: float = setting(300.0, seconds())
    """The bound of that."""
    pool_idle: float = setting(50.0, seconds(lowest=0, highest=300))
    """Of an idle upstream connection: less than what balancers and NAT gateways bear."""
    pool_age: float = setting(600.0, seconds(lowest=0))
    """Of an upstream connection; the next ones follow changes of names and of balancers. 0: no bound."""
    shutdown_delay: float = setting(5.0, seconds(lowest=0))
    """From SIGTERM until the listeners close; they accept meanwhile, and /readyz already fails."""
    drain: float = setting(30.0, seconds(lowest=0))
    """After that, until what is still in flight is cut off."""
    drain_idle: float = setting(1.5, seconds(lowest=0))
    """While it drains: of a caller's connection without a request, before it is closed."""
    revoked_grace: float = setting(60.0, seconds(lowest=0))
    """Requests in flight of a revoked or expired key are cut off after so long."""
    worker: float = setting(30.0, seconds())
    """A worker that says nothing for so long is replaced; one that takes a config no faster is a problem."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """See ``docs/settings.md``."""

    bind: str = by_option("0.0.0.0", "--bind")  # noqa: S104 - a gateway in a pod serves the pod's address
    """Addresses of the listeners, separated by commas."""
    ports: tuple[tuple[int, int], ...] = by_option((), "--port")
    """(port of the listener, port to bind in its place)."""
    workers: int = by_option(0, "--workers")
    """0: as many as the cgroup's CPU quota allows."""
    admin: str = by_option("127.0.0.1:9901", "--admin")
    """``ADDR:PORT`` of the admin endpoints; empty: none."""
    pins: tuple[tuple[str, str], ...] = by_option((), "--resolve")
    """(``host:port``, ``addr:port`` to dial in its place)."""
    upstream_ca: str = by_option("", "--upstream-ca")
    """PEM file trusted besides the system's roots."""
    files_root: str = by_option("", "--files-root")
    """The one folder below which certificate files that a config names may lie; empty: none."""
    unix_root: str = by_option("", "--unix-root")
    """The one folder below which unix sockets that a config names may lie; empty: none."""
    access_log: bool = by_option(True, "--access-log")
    access_log_sample: float = setting(1.0, FRACTION)
    """The part of the requests that went well which has a line in the access log; all others always have one."""
    installation: str = setting("", NAME)
    """A text that all proxies of an installation share, by which they know their own requests; empty: made up."""
    upgrades: tuple[str, ...] = setting(("websocket",), PROTOCOLS)
    """Protocols that a caller's connection may change to, in lower case; never another HTTP."""
    max_config_age: float = by_option(0.0, "--max-config-age")
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
            "upgrades": tuple(values["upgrades"]),
            "pins": tuple((name, address) for name, address in values["pins"]),
            "limits": Limits(**values["limits"]),
            "timeouts": Timeouts(**values["timeouts"]),
        }
    )
