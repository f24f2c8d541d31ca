"""The cases of throughput, one by one."""

from __future__ import annotations

from typing import Final

from benchmarks.gateways.cases.case import FORMS, GATEWAYS
from benchmarks.gateways.cases.requests import RequestsCase, Variant, Versus, both, own
from benchmarks.gateways.load import scripts
from benchmarks.gateways.peers.site import ONE, Size

MANY: Final = Size(routes=10_000, keys=100_000)
ACTIVE: Final = 1_000
"""Callers that are active among many."""


def _same(_: int) -> str:
    return scripts.same()


def _refused(_: int) -> str:
    return scripts.same(good=False)


def _one(seed: int) -> str:
    return scripts.spread(ONE, active=1, seed=seed)


def _active(seed: int) -> str:
    return scripts.spread(MANY, active=ACTIVE, seed=seed)


def _every(seed: int) -> str:
    return scripts.spread(MANY, active=MANY.keys, seed=seed)


def _sized(_: int) -> str:
    return scripts.sized(2048)


GET: Final = RequestsCase(
    "get",
    "GET, the same request again",
    (Variant(_same),),
    (
        Versus("wardgate", "envoy", 0.65),
        Versus("compiled", "envoy", 0.50),
        Versus("compiled", "haproxy", 1.1),
    ),
    servers=(*GATEWAYS, "nginx"),
)
POST: Final = RequestsCase(
    "post",
    "POST; body, length and trace id differ each time",
    (Variant(scripts.differing),),
    (Versus("wardgate", "envoy", 0.70), Versus("compiled", "envoy", 0.55)),
)
LOGGED: Final = RequestsCase(
    "access-log",
    "GET, with an access log in all",
    (Variant(_same, access_log=True),),
    (Versus("compiled", "envoy", 0.70),),
)
TELEMETRY: Final = RequestsCase(
    "telemetry",
    "GET, with an access log and without",
    (Variant(_same, "with a log", access_log=True), Variant(_same, "without")),
    own(1.05, "with a log", "without"),
    servers=FORMS,
)
SHAPED: Final = RequestsCase(
    "not-plain",
    "not plain: preAuthz, body template, weights, response template",
    (Variant(scripts.shaped),),
    (Versus("wardgate", "envoy", 1.2), Versus("compiled", "envoy", 0.8)),
    servers=(*FORMS, "envoy"),
    shaped=True,
)
REFUSED: Final = RequestsCase(
    "refused",
    "refused key",
    (Variant(_refused, "refused", all_refused=True), Variant(_same, "accepted")),
    own(0.5, "refused", "accepted"),
)
SCALE: Final = RequestsCase(
    "scale",
    "10,000 routes and 100,000 keys",
    (
        Variant(_one, "one route and key"),
        Variant(_active, "1,000 callers of many", size=MANY),
        Variant(_every, "all callers of many", size=MANY),
    ),
    (
        *own(1.15, "1,000 callers of many", "one route and key"),
        *own(1.15, "all callers of many", "one route and key"),
    ),
    servers=FORMS,
)
SIZED: Final = RequestsCase("bodies", "2 KiB up, 16 KiB down", (Variant(_sized),), both(0.8))
LISTENER_TLS: Final = RequestsCase(
    "listener-tls", "TLS to callers", (Variant(_same),), both(1.0), listener_tls=True, least_seconds=2
)
UPSTREAM_TLS: Final = RequestsCase(
    "upstream-tls", "TLS to the upstream", (Variant(_same),), both(1.0), upstream_tls=True, least_seconds=2
)
CASES: Final = (GET, POST, LOGGED, TELEMETRY, SHAPED, REFUSED, SCALE, SIZED, LISTENER_TLS, UPSTREAM_TLS)
