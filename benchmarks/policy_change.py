"""What one change costs between the translation and the request: ``python benchmarks/policy_change.py``.

A configuration of 1,000 routes in 10 hosts, 200 policies and 10,000 keys. Prints medians in milliseconds; ``at first``
is what a process pays that has nothing to take over. A worker pays for the decoding and the table, a supervisor for the
decoding, the operator for the encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from statistics import median
from time import perf_counter
from typing import TypeVar

from wardgate import ir
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.routing.table_builder import TableBuilder
from wardgate.wire import Encoder, RoutesDecoder

ROUNDS = 15
T = TypeVar("T")


def route(host: int, number: int) -> ir.Route:
    """A plan guards one route in each of five hosts."""
    match = ir.RouteMatch(paths=(ir.PathMatch("prefix", f"/{number}"),))
    forward = ir.Forward((ir.WeightedUpstream("web", 1),))
    return ir.Route(f"infra/t{host}/r{number}", forward, matches=(match,), auth=f"p{(host * 100 + number) % 200}")


def plan(number: int) -> ir.AuthPlan:
    """A policy that asks for a key in ``api-key``."""
    return ir.AuthPlan(
        f"p{number}", (ir.ApiKeyStep("config_0", "api-key", f"team-{number}"),), policy=f"infra/p{number}"
    )


def start() -> ir.GatewayConfig:
    """The configuration before any change."""
    hosts = [ir.VirtualHost((f"h{host}.test",), tuple(route(host, n) for n in range(100))) for host in range(10)]
    keys = [(f"team-{n % 200}", sha256(b"%d" % n).hexdigest(), f"key-{n}") for n in range(10_000)]
    return ir.GatewayConfig(
        listeners=(ir.Listener("gw", 80, tuple(hosts)),),
        upstreams=(ir.Upstream("web", (ir.Endpoint("web.test", 80),)),),
        auth_plans=tuple(sorted(map(plan, range(200)), key=lambda one: one.name)),
        credentials=tuple(ir.Credential(key_set, digest, "infra", name) for key_set, digest, name in sorted(keys)),
    )


def policy_changed(config: ir.GatewayConfig, number: int) -> ir.GatewayConfig:
    """Another header for the key, in one policy."""
    one, *others = config.auth_plans
    step = ir.ApiKeyStep("config_0", f"x-key-{number}", "team-0")
    return replace(config, auth_plans=(replace(one, steps=(step,)), *others))


def key_changed(config: ir.GatewayConfig, number: int) -> ir.GatewayConfig:
    """Another time at which one key expires."""
    before, one, after = config.credentials[:5000], config.credentials[5000], config.credentials[5001:]
    return replace(config, credentials=(*before, replace(one, expires_at=number), *after))


def report(what: str, seconds: list[float]) -> None:
    """Print one line."""
    first, *others = seconds
    print(f"{what:24} {median(others) * 1000:6.2f} ms   at first {first * 1000:6.1f} ms")


def timed(times: list[float], work: Callable[[], T]) -> T:
    """Do some work and note how long it took."""
    began = perf_counter()
    done = work()
    times.append(perf_counter() - began)
    return done


def main() -> None:
    """Change the policy some times, then a key."""
    config, encoder, decoder = start(), Encoder(), RoutesDecoder()
    table: Table | None = None
    encode, decode, build, encode_key = list[float](), list[float](), list[float](), list[float]()
    for number in range(ROUNDS):
        config = policy_changed(config, number)
        bundle = timed(encode, partial(encoder.encode, config))
        decoded = timed(decode, partial(decoder.decode, bundle.groups["routes"]))
        builder = TableBuilder(decoded.config, {}, previous=table)
        table = timed(build, builder.finish)
    for number in range(ROUNDS):
        config = key_changed(config, number)
        timed(encode_key, partial(encoder.encode, config))
    report("policy changed: encode", encode)
    report("policy changed: decode", decode)
    report("policy changed: table", build)
    report("key changed: encode", encode_key)


if __name__ == "__main__":
    main()
