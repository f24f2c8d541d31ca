"""Everything that the connections of one worker share, each part with its owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.listening.ports import Ports
from wardgate.proxy.io.shared.caller_connections import CallerConnections
from wardgate.proxy.io.shared.fast_path import FastPath
from wardgate.proxy.io.shared.reply_headers import ReplyHeaders
from wardgate.proxy.io.shared.served_config import ServedConfig
from wardgate.proxy.io.shared.telemetry import Telemetry
from wardgate.proxy.io.upstream.pools import UpstreamPools
from wardgate.proxy.settings import Limits, Timeouts


@dataclass(frozen=True, slots=True, eq=False)
class WorkerContext:
    """Made by ``Gateway``; ``clock`` is monotonic and ``now`` the wall's, both in seconds."""

    limits: Limits
    timeouts: Timeouts
    clock: Callable[[], float]
    now: Callable[[], float]
    loop_mark: LoopMark
    upgrades: frozenset[bytes]
    """Protocols that callers may ask for besides HTTP/1.1."""
    guesses: Guesses
    """Wrong passwords of late."""
    bodies: Budget
    """Bytes of bodies that are held."""
    ports: Ports
    config: ServedConfig
    callers: CallerConnections
    fast_path: FastPath | None
    """None: every request goes the general way."""
    upstreams: UpstreamPools
    telemetry: Telemetry
    reply_headers: ReplyHeaders
