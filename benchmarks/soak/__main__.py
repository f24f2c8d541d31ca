"""``python -m benchmarks.soak``: run the trials, tell how they go, and end with status 1 where one does not hold."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable

from benchmarks.soak.bodies import MIB, download, upload
from benchmarks.soak.changes import changes
from benchmarks.soak.deaths import config_lost, upstream_killed, worker_struck
from benchmarks.soak.estate import running
from benchmarks.soak.overload import overload
from benchmarks.soak.restarts import restarts
from benchmarks.soak.stream import stream

GROWTH = 16 * MIB
_STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell how it goes."""
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}", flush=True)


def _restarts(options: argparse.Namespace) -> bool:
    tally = restarts(options.restarts, delay=2.0, say=say)
    say(f"restarts: {options.restarts}, {tally}")
    return not tally.failures


def _changes(options: argparse.Namespace) -> bool:
    with running(workers=2) as estate:
        tally = changes(estate, int(options.minutes * 60), every=1.0, say=say)
    say(f"changes: one each second for {options.minutes:g} minutes, {tally}")
    return not tally.failures


def _stream(options: argparse.Namespace) -> bool:
    with running(workers=2) as estate:
        sent, received = stream(estate, 100, every=options.minutes * 60 / 100, say=say)
    say(f"stream: {sent} events over {options.minutes:g} minutes and 100 changes, {received}")
    return received.whole


def _bodies(options: argparse.Namespace) -> bool:
    size = options.mib * MIB
    with running() as estate:
        up = upload(estate, size, rate=32 * MIB, say=say)
        say(f"upload to a slow upstream: {up}")
        down = download(estate, size, rate=32 * MIB, say=say)
        say(f"download to a slow caller: {down}")
    return all(passed.size == size and passed.growth <= GROWTH for passed in (up, down))


def _deaths(_: argparse.Namespace) -> bool:
    with running(workers=2) as estate:
        say(f"a worker of two killed: {worker_struck(estate, signal.SIGKILL)}")
        say(f"the upstream killed, and back after a second: {upstream_killed(estate)}")
        say(f"the config file lost, then torn, then good: {config_lost(estate)}")
        say(f"a worker of two stuck: {worker_struck(estate, signal.SIGSTOP)}")
    with running(workers=1) as estate:
        say(f"the only worker killed: {worker_struck(estate, signal.SIGKILL)}")
    return True


def _overload(_: argparse.Namespace) -> bool:
    peace, attacked, flood = overload(2000)
    say(f"a caller with a connection, in peace: {peace}")
    say(f"the same, where all connections are taken and more come: {attacked}; the flood got {dict(flood)}")
    return not (peace.failures or attacked.failures)


TRIALS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "restarts": _restarts,
    "changes": _changes,
    "stream": _stream,
    "bodies": _bodies,
    "deaths": _deaths,
    "overload": _overload,
}


def main() -> int:
    """Read the command line, run, and tell what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Long trials of the data plane.")
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"of {', '.join(TRIALS)}; all by default")
    parser.add_argument("--restarts", type=int, default=20, help="of the two proxies in turn (default 20)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of changes, and of the stream (default 10)")
    parser.add_argument("--mib", type=int, default=1024, help="of each body (default 1024)")
    options = parser.parse_args()
    failed = [name for name in options.trials or TRIALS if not TRIALS[name](options)]
    say(f"does not hold: {', '.join(failed)}" if failed else "all hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
