"""``python -m tests.chart.judges.record``: scrapes of a real operator and a real proxy under faults, for the alerts.

It takes a quarter of an hour, writes ``recorded.json`` and is run by hand, when metrics or alerts have changed. The
operator and the proxy are processes at a real API server. A caller knows the key, another one guesses ten times a
second all along. The API server stands still for eight minutes, and after it is back the only worker is killed four
times.
"""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.house.probing import worker_of
from benchmarks.propagation import Caller, Size, fill
from examples.demo.processes import Program
from tests.chart.helm import CHART, Helm
from tests.chart.judges.alert_cases import OPERATOR, PROXY
from tests.cluster.binaries import control_plane_binaries, helm_binary, to_stderr
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.e2e.installation import Installation
from tests.examples.servers import Answer

RECORDED: Final = Path(__file__).with_name("recorded.json")
SCRAPE_SECONDS: Final = 15
ALL_SECONDS: Final = 840
AWAY: Final = (60.0, 540.0)
"""Seconds between which the API server stands still."""
DEATHS: Final = (600.0, 620.0, 640.0, 660.0)
GUESSES_A_SECOND: Final = 10.0
ALERTS = (CHART / "monitoring" / "alerts.yaml").read_text(encoding="utf-8")
NAMES: Final = frozenset(re.findall(r"wardgate_[a-z_]+", yaml.safe_dump(yaml.safe_load(ALERTS))))
"""The metrics that alerts ask for."""


class Tape:
    """The values of every series, one a scrape; ``_`` where a scrape had none."""

    def __init__(self) -> None:
        self._series: dict[str, list[str]] = {}
        self.scrapes = 0

    def take(self, page: Callable[[str], Answer], labels: dict[str, str]) -> None:
        """Scrape once."""
        try:
            text = page("/metrics").body.decode()
        except OSError:
            return
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in NAMES:
                    inside = ",".join(f'{name}="{value}"' for name, value in {**sample.labels, **labels}.items())
                    held = self._series.setdefault(f"{sample.name}{{{inside}}}", [])
                    held += ["_"] * (self.scrapes - len(held))
                    held.append(f"{sample.value:.3f}".rstrip("0").rstrip("."))

    def series(self) -> dict[str, str]:
        """Give promtool's notation, in which values that repeat are written once."""
        whole = {name: [*values, *["_"] * (self.scrapes - len(values))] for name, values in self._series.items()}
        return {name: " ".join(_repeated(values)) for name, values in sorted(whole.items())}


def _repeated(values: Sequence[str]) -> Iterator[str]:
    start = 0
    for end in range(1, len(values) + 1):
        if end == len(values) or values[end] != values[start]:
            again = end - start - 1
            yield f"{values[start]}x{again}" if again else values[start]
            start = end


@contextmanager
def _guessing(proxy_caller: Caller) -> Iterator[None]:
    done = threading.Event()

    def guess() -> None:
        while not done.wait(1 / GUESSES_A_SECOND):
            proxy_caller.status("guessed")

    thread = threading.Thread(target=guess)
    thread.start()
    yield
    done.set()
    thread.join()


def _kill_worker(supervisor: Program) -> None:
    os.kill(worker_of(supervisor.process_id), signal.SIGKILL)


def record(folder: Path) -> dict[str, str]:
    """Bring everything up, let it suffer, and give the series."""
    helm = Helm(helm_binary(say=to_stderr))
    with ControlPlane(folder, control_plane_binaries(say=to_stderr)) as control_plane:
        cluster = Cluster(control_plane)
        cluster.install_crds()
        cluster.wait_until_ready()
        fill(cluster, Size(routes=10, policies=10, keys=10, others=0))
        with Installation(cluster, helm, folder) as installation:
            operator, proxy = installation.operator(), installation.proxy()
            faults = [
                (AWAY[0], control_plane.freeze),
                (AWAY[1], control_plane.thaw),
                *((at, lambda: _kill_worker(proxy.program)) for at in DEATHS),
            ]
            tape, caller, began = Tape(), Caller(proxy), time.monotonic()
            with _guessing(Caller(proxy)):
                while tape.scrapes * SCRAPE_SECONDS <= ALL_SECONDS:
                    while time.monotonic() - began < tape.scrapes * SCRAPE_SECONDS:
                        if faults and time.monotonic() - began >= faults[0][0]:
                            faults.pop(0)[1]()
                        caller.status("key-7")
                        time.sleep(1.0)
                    tape.take(proxy.page, PROXY)
                    tape.take(operator.page, OPERATOR)
                    tape.scrapes += 1
        cluster.close()
    return tape.series()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        RECORDED.write_text(json.dumps(record(Path(scratch)), indent=1) + "\n", encoding="utf-8")
