"""Processes that are killed under load, one at a time: what callers see of it, and for how long."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.soak.callers import Caller, Endpoints, calling, fresh, kept
from benchmarks.soak.estate import Estate, Proxy, wait_until

CALLERS: tuple[Caller, ...] = (kept, kept, kept, kept, fresh, fresh)


@dataclass(frozen=True, slots=True)
class Damage:
    """The cost of a death. ``recovered``: seconds until all was as before.

    ``failing``: seconds from the first failure to the last; ``slowest``: the longest that a caller waited.
    """

    answers: int
    failures: tuple[str, ...]
    recovered: float
    failing: float
    slowest: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{self.failures.count(kind)} {kind}" for kind in sorted(set(self.failures))) or "none"
        return (
            f"{self.answers} answers, failed: {kinds}, within {self.failing:.2f} s; as before after "
            f"{self.recovered:.2f} s; slowest {self.slowest:.2f} s"
        )


def worker_struck(estate: Estate, number: signal.Signals) -> Damage:
    """Send a worker a signal: SIGKILL, or SIGSTOP, after which ``timeouts.worker`` counts."""
    (proxy,) = estate.proxies
    revision = estate.serve_lab()
    wait_until(lambda: proxy.serves(revision), "the config is served")
    before = proxy.workers
    return _damage(
        estate,
        strike=lambda: os.kill(before[0], number),
        recovered=lambda: _replaced(proxy, before, revision),
    )


def _replaced(proxy: Proxy, before: tuple[int, ...], revision: str) -> bool:
    now = proxy.workers
    return before[0] not in now and len(now) == len(before) and proxy.serves(revision)


def upstream_killed(estate: Estate, *, away: float = 1.0) -> Damage:
    """Kill the upstream with SIGKILL, and start it again after so many seconds."""

    def strike() -> None:
        os.kill(estate.upstream.program.process_id, signal.SIGKILL)
        estate.upstream.program.wait(seconds=10.0)
        time.sleep(away)
        estate.upstream.start()

    return _damage(estate, strike=strike, recovered=lambda: True)


def config_lost(estate: Estate) -> Damage:
    """Take the config away, then put half of it in its place, then another one."""
    (proxy,) = estate.proxies
    whole = estate.config.read_bytes()
    revisions: list[str] = []

    def strike() -> None:
        estate.config.unlink()
        time.sleep(0.5)
        estate.config.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.5)

    def recovered() -> bool:
        if not revisions:
            revisions.append(estate.serve_lab(name="after"))
        return proxy.serves(revisions[0])

    return _damage(estate, strike=strike, recovered=recovered)


def _damage(estate: Estate, *, strike: Callable[[], None], recovered: Callable[[], bool]) -> Damage:
    with calling(Endpoints(estate.proxies), CALLERS) as tally:
        wait_until(lambda: tally.answers > 100, "callers are answered")
        began = time.monotonic()
        strike()
        wait_until(recovered, "all is as before")
        seconds, answers = time.monotonic() - began, tally.answers
        wait_until(lambda: tally.answers > answers + 200, "callers go on")
    return Damage(
        tally.answers,
        tuple(tally.failures),
        recovered=seconds,
        failing=tally.last_failure - tally.first_failure,
        slowest=tally.slowest,
    )
