"""A caller that asks again and again on one connection, until an answer holds a text and for a moment more.

    python -m benchmarks.gateways.load.prober PORT TEXT LIMIT

It says ``ready`` after its first answer, and in the end prints JSON: ``worst`` and ``median`` in milliseconds, and
whether the text was ``seen`` within ``LIMIT`` seconds.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from statistics import median

from benchmarks.gateways.load.caller import Caller

TAIL_SECONDS = 0.5
PAUSE = 0.0005


def probe(port: int, text: str, limit: float) -> dict[str, object]:
    """Return the figures."""
    caller = Caller(port)
    for _ in range(200):
        caller.get("/t0/seen")
    print("ready", flush=True)
    took: list[float] = []
    deadline, seen = time.perf_counter() + limit, False
    while (began := time.perf_counter()) < deadline:
        answer = caller.get("/t0/seen")
        took.append((time.perf_counter() - began) * 1000)
        if not seen and text in answer:
            seen, deadline = True, time.perf_counter() + TAIL_SECONDS
        time.sleep(PAUSE)
    return {"worst": max(took), "median": median(took), "seen": seen}


if __name__ == "__main__":
    gc.disable()
    print(json.dumps(probe(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
