"""All cases, in the order in which they are measured."""

from __future__ import annotations

from typing import Final

from benchmarks.gateways.cases import idle, latency, million, plain, pressure, revision, streams, workers
from benchmarks.gateways.cases.case import Case

CASES: Final[tuple[Case, ...]] = (
    *plain.CASES,
    workers.CASE,
    latency.CASE,
    *pressure.CASES,
    streams.CASE,
    idle.CASE,
    revision.CASE,
    million.CASE,
)
