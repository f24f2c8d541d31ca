"""A rolling restart of two proxies, again and again, under callers that repeat nothing: no request may fail."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.soak.callers import Endpoints, Tally, calling
from benchmarks.soak.estate import running, wait_until


def restarts(count: int, *, delay: float, say: Callable[[str], None]) -> Tally:
    """Restart one of two proxies so many times. ``delay``: the proxies' ``shutdown_delay``; callers know after half."""
    settings = [f"timeouts.shutdown_delay={delay}", "timeouts.drain_idle=0.5"]
    with running(proxies=2, settings=settings) as estate:
        endpoints = Endpoints(estate.proxies, lag=delay / 2)
        with calling(endpoints) as tally:
            wait_until(lambda: tally.answers > 0, "callers are answered")
            for number in range(count):
                proxy = estate.proxies[number % 2]
                status = proxy.stop()
                proxy.start()
                # As in a rollout: the next one ends once this one takes callers again.
                wait_until(lambda: len(endpoints.ports) == len(estate.proxies), "callers know of both")
                say(f"restart {number + 1} of {count}, exit status {status}: {tally}")
    return tally
