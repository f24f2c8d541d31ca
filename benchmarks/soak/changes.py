"""Another config every second, under callers that repeat nothing: no request may fail, and each config is served."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.soak.callers import Endpoints, Tally, calling
from benchmarks.soak.estate import Estate, lab, wait_until
from tests.proxy.io.bench import CREDENTIAL
from wardgate.ir import GatewayConfig, PathMatch, RouteMatch


def changes(estate: Estate, count: int, *, every: float, say: Callable[[str], None]) -> Tally:
    """Change the config so many times, after so many seconds each."""
    with calling(Endpoints(estate.proxies)) as tally:
        change(estate, count, every=every, say=lambda number: say(f"change {number} of {count}: {tally}"))
    return tally


def change(estate: Estate, count: int, *, every: float, say: Callable[[int], None]) -> None:
    """Change the config so many times; return when the last one is served."""
    began, revision = time.monotonic(), ""
    for number in range(1, count + 1):
        revision = estate.serve(variant(lab(estate.upstream.port), number))
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        if number % 10 == 0 or number == count:
            say(number)
    for proxy in estate.proxies:
        wait_until(lambda: proxy.serves(revision), "the last config is served")  # noqa: B023 - called at once


def variant(base: GatewayConfig, number: int) -> GatewayConfig:
    """Change the keys with each number, and the routes with every second one."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    keys = (CREDENTIAL, replace(CREDENTIAL, digest=digest, name=f"key-{number}"))
    (listener,) = base.listeners
    (host,) = listener.virtual_hosts
    (route,) = host.routes
    other = replace(
        route, name=f"other-{number // 2}", matches=(RouteMatch((PathMatch("prefix", f"/other-{number // 2}"),)),)
    )
    listeners = (replace(listener, virtual_hosts=(replace(host, routes=(other, route)),)),)
    return replace(base, listeners=listeners, credentials=keys)
