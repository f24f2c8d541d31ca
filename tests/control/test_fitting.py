"""What does not fit its shard: what was changed last is closed, as little of it as does, and nothing else changes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kube.publishing import World
from wardgate.api import Approval
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.control.closing import with_closed_routes
from wardgate.control.fitting import Fitted, fit
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    DirectResponse,
    Endpoint,
    Forward,
    GatewayConfig,
    Listener,
    ListenerTls,
    MessageTemplate,
    MetadataEntry,
    PathMatch,
    Refuse,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    UpstreamTls,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.kube.delivery.shards import compress
from wardgate.kube.publish import packing
from wardgate.kube.publish.packing import OversizedGroup, Packer
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses
from wardgate.wire.bundle import Bundle
from wardgate.wire.decode import decode_credentials, decode_routes
from wardgate.wire.encode import Encoder

CLOSED = Refuse(500, "too_large")
OPEN = DirectResponse(200, "hello")
LARGE = 1500


def table(name: str) -> ObjectRef:
    return ObjectRef("RouteTable", "team", name)


def auth_policy(name: str) -> ObjectRef:
    return ObjectRef("ExtAuthPolicy", "team", name)


def transformation(name: str) -> ObjectRef:
    return ObjectRef("TransformationPolicy", "team", name)


def service(name: str) -> ObjectRef:
    return ObjectRef("ExternalService", "team", name)


def gateway(name: str) -> ObjectRef:
    return ObjectRef("VirtualGateway", "team", name)


def secret(name: str) -> ObjectRef:
    return ObjectRef("Secret", "team", name)


def noise(size: int, seed: str = "") -> str:
    """Text that does not compress well, always the same."""
    digests = b"".join(hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(size // 32 + 1))
    return base64.urlsafe_b64encode(digests).decode()[:size]


def path(value: str) -> RouteMatch:
    return RouteMatch(paths=(PathMatch("prefix", value),))


def route(name: str, *matches: RouteMatch, auth: str | None = None, plans: tuple[str, ...] = ()) -> Route:
    """A route of a table, named as ``translate`` names it; the table's name comes first."""
    named = f"team/{name}@team/main:80"
    return Route(named, OPEN, matches or (path(f"/{name}"),), auth=auth, transformations=plans)


def to(route: Route, upstream: str) -> Route:
    return replace(route, action=Forward((WeightedUpstream(upstream, 1),)))


def listener(*routes: Route, name: str = "main", tls: ListenerTls | None = None) -> Listener:
    return Listener(f"team/{name}:80", 80, (VirtualHost(("*",), routes),), tls=tls)


def serving(*routes: Route, **parts: Any) -> GatewayConfig:
    return replace(GatewayConfig(listeners=(listener(*routes),)), **parts)


def plan(name: str, *, size: int = 0) -> TransformationPlan:
    return TransformationPlan(f"team/{name}", "post", request=MessageTemplate(body=noise(size, name)))


def keys_of(name: str, key_set: str = "keys") -> AuthPlan:
    return AuthPlan(f"team/{name}", (ApiKeyStep("step", "api-key", key_set),))


def key(name: str, *, key_set: str = "keys", size: int = 0) -> Credential:
    digest = hashlib.sha256(name.encode()).hexdigest()
    entry = MetadataEntry("token", Sensitive(noise(size, name)))
    return Credential(key_set, digest, "team", name, metadata=(entry,))


def changed(*refs: ObjectRef) -> ClusterSnapshot:
    """Objects in the order in which they were changed, the newest last."""
    kinds: dict[str, tuple[StoredObject, ...]] = {}
    for version, ref in enumerate(refs):
        kinds[ref.kind] = (*kinds.get(ref.kind, ()), StoredObject(ref, str(ref), version, 1, "", {}))
    return ClusterSnapshot(kinds)


@dataclass
class Bench:
    """An encoder and shards of a limited size."""

    limit: int
    buckets: int = 1
    attempts: int = 0
    in_force: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._encoder = Encoder(buckets=self.buckets)
        self._packer = Packer(max_shard=self.limit)

    def encode(self, config: GatewayConfig) -> Bundle:
        self.attempts += 1
        return self._encoder.encode(config)

    def oversized(self, bundle: Bundle) -> tuple[OversizedGroup, ...]:
        return self._packer.oversized(bundle, self.in_force)

    def fit(self, config: GatewayConfig, snapshot: ClusterSnapshot) -> Fitted:
        bundle = self._encoder.encode(config)
        fitted = fit(config, bundle, snapshot, encode=self.encode, oversized=self.oversized)
        assert Encoder(buckets=self.buckets).encode(fitted.config) == fitted.bundle
        return fitted


def routes_of(config: GatewayConfig) -> Iterator[Route]:
    for one in config.listeners:
        for host in one.virtual_hosts:
            yield from host.routes


def actions(fitted: Fitted) -> dict[str, object]:
    return {one.name.split("@")[0].removeprefix("team/"): one.action for one in routes_of(fitted.config)}


def test_what_fits_costs_no_attempt_and_is_what_it_was() -> None:
    config, bench = serving(route("a/1")), Bench(1000)
    fitted = bench.fit(config, changed(table("a")))
    assert config is fitted.config
    assert ((), 0) == (fitted.left_out, bench.attempts)


# Keys.


def test_newest_key_secret_is_left_out_and_the_others_stay() -> None:
    keys = (key("large", size=LARGE), key("old"), key("older"))
    config = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=keys)
    fitted = Bench(1000).fit(config, changed(secret("older"), secret("old"), table("a"), secret("large")))
    assert replace(config, credentials=keys[1:]) == fitted.config
    assert (secret("large"),) == fitted.refs


def test_no_more_secrets_are_left_out_than_it_takes() -> None:
    keys = tuple(key(f"k{number}", size=200) for number in range(12))
    config = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=keys)
    order = changed(*(secret(one.name) for one in keys))
    bench = Bench(1500)
    kept = bench.fit(config, order).config.credentials
    assert keys[: len(kept)] == kept
    one_more = bench.encode(replace(config, credentials=keys[: len(kept) + 1]))
    assert bench.oversized(one_more)
    assert 0 < len(kept)


def test_secret_is_left_out_of_every_key_set_so_that_its_key_is_refused_everywhere() -> None:
    large = key("large", size=LARGE)
    config = serving(
        route("a/1", auth="team/p"),
        route("a/2", auth="team/q"),
        auth_plans=(keys_of("p"), keys_of("q", "others")),
        credentials=(large, replace(large, key_set="others", metadata=())),
    )
    fitted = Bench(1000, buckets=64).fit(config, changed(secret("large")))
    assert () == fitted.config.credentials


def test_every_group_of_keys_is_made_to_fit_and_what_fits_is_not_touched() -> None:
    keys = tuple(sorted((key(f"k{number}", size=300) for number in range(40)), key=lambda one: one.digest))
    config = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=keys)
    bench = Bench(1000, buckets=8)
    before = Encoder(buckets=8).encode(config)
    large = {one.group for one in bench.oversized(before)}
    fitted = bench.fit(config, changed(*(secret(one.name) for one in keys)))
    assert len(large) > 1
    assert () == bench.oversized(fitted.bundle)
    untouched = {name: data for name, data in before.groups.items() if name not in large}
    assert untouched == {name: data for name, data in fitted.bundle.groups.items() if name not in large}


def test_revoked_key_is_not_in_the_result_although_another_is_too_large() -> None:
    revoked, large, good = key("revoked"), key("large", size=LARGE), key("good")
    before = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=(revoked, good))
    after = replace(before, credentials=(large, good))
    bench = Bench(1000)
    bench.in_force = Encoder(buckets=1).encode(before).hashes
    fitted = bench.fit(after, changed(secret("good"), secret("large")))
    assert (good,) == decode_credentials(fitted.bundle.groups["keys-000"]).credentials


# Routes.


def test_newest_table_is_closed_with_its_matches_kept_and_without_authentication() -> None:
    mine = (path("/new"), replace(path("/other"), methods=("GET",)))
    new = route("new/1", *mine, auth="team/p", plans=("team/t",))
    old = route("old/1", auth="team/q")
    config = serving(
        new,
        old,
        auth_plans=(keys_of("p", "mine"), keys_of("q")),
        transformations=(plan("t", size=LARGE),),
        credentials=(key("his"), key("mine", key_set="mine")),
    )
    fitted = Bench(1000).fit(config, changed(auth_policy("p"), transformation("t"), table("old"), table("new")))
    expected = serving(
        Route(new.name, CLOSED, mine), old, auth_plans=(keys_of("q"),), credentials=(key("his"),)
    )  # nobody uses the others any more
    assert expected == fitted.config
    assert (table("new"),) == fitted.refs


@pytest.mark.parametrize(
    ("newest", "closed"),
    [
        (table("a"), {"a/1", "a/2"}),
        (auth_policy("p"), {"a/1"}),
        (transformation("t"), {"a/2", "b/1"}),
        (service("s"), {"a/1", "b/1"}),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else str(value),
)
def test_routes_that_come_from_an_object_or_use_it_are_closed_and_no_others(
    newest: ObjectRef, closed: set[str]
) -> None:
    config = serving(
        to(route("a/1", auth="team/p"), "external/team/s:443"),
        route("a/2", plans=("team/t",)),
        to(route("b/1", plans=("team/u", "team/t")), "external/team/s:80"),
        to(route("b/2"), "service/team/s:80"),
        auth_plans=(AuthPlan("team/p", (ApiKeyStep(noise(600, "p"), "api-key", "keys"),)),),
        transformations=(plan("t", size=600), plan("u")),
        upstreams=(
            Upstream("external/team/s:443", (), tls=UpstreamTls("x", ca=noise(600, "s"))),
            Upstream("external/team/s:80", (Endpoint("x", 80),)),
            Upstream("service/team/s:80", (Endpoint("y", 80),)),
        ),
    )
    order = (table("b"), table("a"), auth_policy("p"), transformation("t"), transformation("u"), service("s"))
    limit = _size(config) - 1
    fitted = Bench(limit).fit(config, changed(*(ref for ref in order if ref != newest), newest))
    assert closed == {name for name, action in actions(fitted).items() if action == CLOSED}
    assert (newest,) == fitted.refs


def test_no_more_tables_are_closed_than_it_takes() -> None:
    names = [f"t{number}" for number in range(20)]
    config = serving(
        *(route(f"{name}/1", plans=(f"team/{name}",)) for name in names),
        transformations=tuple(plan(name, size=200) for name in sorted(names)),
    )
    bench = Bench(_size(config) - 500)
    fitted = bench.fit(config, changed(*(table(name) for name in names), *(transformation(name) for name in names)))
    attempts, count = bench.attempts, len(fitted.refs)
    assert {transformation(name) for name in names[-count:]} == set(fitted.refs)
    assert 1 < count < 8
    assert attempts < 10
    for widen in (False, True):
        one_less = with_closed_routes(config, {transformation(name) for name in names[1 - count :]}, widen=widen)
        assert bench.oversized(bench.encode(one_less))


def test_closed_route_is_read_by_a_proxy_as_it_was_written() -> None:
    config = serving(route("a/1", plans=("team/t",)), transformations=(plan("t", size=LARGE),))
    fitted = Bench(700).fit(config, changed(table("a")))
    decoded = decode_routes(fitted.bundle.groups["routes"])
    assert ((), [CLOSED]) == (decoded.closed, [one.action for one in routes_of(decoded.config)])


def test_table_that_is_large_by_its_matches_is_closed_under_the_prefix_they_share() -> None:
    old = [route("old/1", path("/old")), route("old/2", path("/team-b"))]
    new = [route(f"new/{number}", path(f"/team-a/{noise(40, str(number))}")) for number in range(100)]
    config = serving(old[0], *new, old[1])
    fitted = Bench(1500).fit(config, changed(table("old"), table("new")))
    assert serving(old[0], Route(new[0].name, CLOSED, (path("/team-a/"),)), old[1]) == fitted.config
    assert (table("new"),) == fitted.refs


@pytest.mark.parametrize(
    "match",
    [
        RouteMatch(),
        RouteMatch(paths=(PathMatch("regex", "/a/.*"),)),
        RouteMatch(paths=(PathMatch("prefix", "/a/", ignore_case=True),)),
        path("b"),
    ],
)
def test_matches_that_share_no_prefix_are_widened_to_every_path(match: RouteMatch) -> None:
    new = [route("new/1", path("/a/1"), match), route("new/2", path("/a/" + noise(2000)))]
    fitted = Bench(800).fit(serving(*new), changed(table("new")))
    assert serving(Route(new[0].name, CLOSED)) == fitted.config


def test_longest_of_several_paths_of_a_match_counts_for_the_prefix() -> None:
    paths = tuple(PathMatch("prefix", f"/a/b/{noise(300, one)}") for one in "xy")
    new = route("new/1", *(RouteMatch(paths=(PathMatch("prefix", "/"), one)) for one in paths))
    fitted = Bench(600).fit(serving(new), changed(table("new")))
    assert serving(Route(new.name, CLOSED, (path("/a/b/"),))) == fitted.config


def test_table_with_one_match_keeps_it_when_others_are_widened() -> None:
    small, large = (
        route("small/1"),
        [route(f"large/{number}", path(f"/{noise(90, str(number))}")) for number in "0123456"],
    )
    config = serving(small, *large)
    fitted = Bench(500).fit(config, changed(table("large"), table("small")))
    assert (
        serving(Route(small.name, CLOSED, small.matches), Route(large[0].name, CLOSED, (path("/"),))) == fitted.config
    )


def test_gateway_that_is_too_large_alone_is_closed_and_the_others_listen_on() -> None:
    tls = ListenerTls("certificate", Sensitive("key"), client_ca=noise(3000))
    good, bad = listener(route("a/1")), listener(replace(route("a/1"), name="team/a/1@x"), name="other", tls=tls)
    fitted = Bench(1000).fit(GatewayConfig((good, bad)), changed(table("a"), gateway("main"), gateway("other")))
    assert GatewayConfig((good,)) == fitted.config
    assert (gateway("other"),) == fitted.refs


def test_keys_that_no_open_route_uses_are_gone_before_any_is_left_out() -> None:
    config = serving(
        route("a/1", auth="team/p", plans=("team/t",)),
        auth_plans=(keys_of("p"),),
        transformations=(plan("t", size=LARGE),),
        credentials=(key("large", size=LARGE),),
    )
    fitted = Bench(1000).fit(config, changed(secret("large"), transformation("t")))
    assert (transformation("t"),) == fitted.refs


def test_what_nothing_helps_against_ends() -> None:
    config = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=(key("k"),))
    bench = Bench(1)
    fitted = bench.fit(config, changed(table("a"), gateway("main"), secret("k")))
    assert bench.oversized(fitted.bundle)
    assert bench.attempts < 20


def _size(config: GatewayConfig) -> int:
    """The size of the routes as a shard."""
    group, *_ = Packer(max_shard=1).oversized(Encoder().encode(config), {})
    assert "routes" == group.group
    return group.size


# What is told.


def verdict(ref: ObjectRef, *problems: Problem) -> ObjectStatus:
    return ObjectStatus(ref, str(ref), 3, Approval.ACCEPTED, "Accepted", "Fine.", 3, problems)


def test_what_was_left_out_is_invalid_with_size_limit_and_remedy() -> None:
    config = serving(route("a/1"), route("b/1", plans=("team/t",)), transformations=(plan("t", size=LARGE),))
    fitted = Bench(700).fit(config, changed(table("a"), table("b"), transformation("t")))
    good, other = verdict(table("a")), verdict(table("b"))
    warning = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "Told before.", transformation("t"))
    judged = fitted.judged(Statuses((good, other, verdict(transformation("t"), warning)), (warning,)))
    bad = judged.of(transformation("t"))
    assert bad is not None
    assert (good, other) == judged.objects[:2]
    assert (Approval.INVALID, "TooLarge", None, 3) == (bad.approval, bad.reason, bad.served_generation, bad.generation)
    assert (
        "TransformationPolicy team/t is closed, and the routes that use it answer 500: it is among the last changes, "
        f"and with them the routes and policies of all gateways come to {_size(config)} bytes of at most 700. Make it "
        "smaller, or remove routes and policies that are not needed. Told before."
    ) == bad.message
    assert (warning, bad.problems[0]) == judged.problems


def test_secret_that_was_left_out_is_a_problem_that_quotes_nothing_of_it() -> None:
    config = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=(key("large", size=LARGE),))
    (problem,) = Bench(700).fit(config, changed(secret("large"))).judged(Statuses()).problems
    assert problem.message.startswith("Secret team/large is left out, and its keys are refused: ")
    assert noise(8, "large") not in problem.message


def test_message_stays_within_what_a_status_may_hold() -> None:
    config = serving(route("a/1", plans=("team/t",)), transformations=(plan("t", size=LARGE),))
    fitted = Bench(700).fit(config, changed(table("a")))
    long = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "x" * MAX_MESSAGE, table("a"))
    (status,) = fitted.judged(Statuses((verdict(table("a"), long),)))
    assert MAX_MESSAGE == len(status.message)


def test_verdicts_are_what_they_were_when_everything_fits() -> None:
    statuses = Statuses((verdict(table("a")),))
    assert statuses is Bench(1000).fit(serving(route("a/1")), changed(table("a"))).judged(statuses)


# With a real publisher.


def test_what_was_fitted_is_published_and_what_was_measured_on_the_way_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = (key("large", size=LARGE), key("good"))
    good = serving(route("a/1", auth="team/p"), auth_plans=(keys_of("p"),), credentials=keys[1:])
    config, order = replace(good, credentials=keys), changed(secret("good"), secret("large"))
    encoder, measured = Encoder(buckets=1), []

    def counted(data: bytes) -> bytes:
        measured.append(data)
        return compress(data)

    async def scenario() -> None:
        world = World()
        publisher = world.operator(max_shard=1000)
        await publisher.take_over(world.term())
        monkeypatch.setattr(packing, "compress", counted)
        for rounds in (1, 2, 3):
            large = encoder.encode(config)
            fitted = fit(config, large, order, encode=encoder.encode, oversized=publisher.oversized)
            published = await publisher.publish(fitted.bundle)
            assert encoder.encode(good) == world.in_force()
            assert (rounds == 1) is published.index_written
            assert rounds == measured.count(large.groups["keys-000"])

    asyncio.run(scenario())


# Anything.

_order = attrgetter("key_set", "digest")
_NAMES = st.sampled_from("abcd")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[GatewayConfig, ClusterSnapshot]:
    """A config in which everything is used, and the order in which its objects were changed."""
    plans = [plan(f"t{name}", size=draw(st.integers(0, 900))) for name in "ab"]
    policies = [keys_of(f"p{name}", f"keys-{name}") for name in "ab"]
    routes = [
        route(
            f"{draw(_NAMES)}/{number}",
            *(
                path(f"/{draw(_NAMES)}/{noise(draw(st.integers(0, 200)), str(number))}")
                for _ in range(draw(st.integers(0, 3)))
            ),
            auth=draw(st.sampled_from([None, *(one.name for one in policies)])),
            plans=tuple(draw(st.sets(st.sampled_from([one.name for one in plans])))),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    auth = {one.auth for one in routes}
    used = {name for one in routes for name in one.transformations}
    keys = [
        key(f"k{number}", key_set=f"keys-{draw(st.sampled_from('ab'))}", size=draw(st.integers(0, 700)))
        for number in range(6)
    ]
    config = serving(
        *routes,
        auth_plans=tuple(one for one in policies if one.name in auth),
        transformations=tuple(one for one in plans if one.name in used),
        credentials=tuple(sorted((one for one in keys if f"team/p{one.key_set[-1]}" in auth), key=_order)),
    )
    refs = [
        *(table(name) for name in "abcd"),
        *(auth_policy(f"p{name}") for name in "ab"),
        *(transformation(f"t{name}") for name in "ab"),
        *(secret(one.name) for one in keys),
        gateway("main"),
    ]
    return config, changed(*draw(st.permutations(refs)))


@settings(max_examples=150, deadline=None)
@given(worlds(), st.integers(400, 3000), st.sampled_from([1, 4]))
def test_anything_fits_in_the_end_and_what_was_not_left_out_is_what_it_was(
    world: tuple[GatewayConfig, ClusterSnapshot], limit: int, buckets: int
) -> None:
    config, snapshot = world
    bench = Bench(limit, buckets)
    fitted = bench.fit(config, snapshot)
    assert () == bench.oversized(fitted.bundle)
    before = {one.name: one for one in routes_of(config)}
    if gateway("main") not in fitted.refs:
        _check_routes(before, fitted)
    sets = {step.key_set for one in fitted.config.auth_plans for step in one.steps if isinstance(step, ApiKeyStep)}
    expected = [one for one in config.credentials if one.key_set in sets and secret(one.name) not in fitted.refs]
    assert expected == list(fitted.config.credentials)


def _check_routes(before: Mapping[str, Route], fitted: Fitted) -> None:
    refs = set(fitted.refs)
    after = {one.name: one for one in routes_of(fitted.config)}
    for name, one in before.items():
        used = {
            table(name.split("/")[1]),
            *(transformation(plan.removeprefix("team/")) for plan in one.transformations),
        }
        used |= {auth_policy(one.auth.removeprefix("team/"))} if one.auth else set()
        if used.isdisjoint(refs):
            assert one == after[name]
        elif name in after:
            assert (CLOSED, None, ()) == (after[name].action, after[name].auth, after[name].transformations)
    for match in (match for name, one in before.items() if name not in after for match in one.matches):
        assert any(_takes(closed, match) for closed in after.values() if closed.action == CLOSED)


def _takes(closed: Route, match: RouteMatch) -> bool:
    return not closed.matches or any(match.paths[0].value.startswith(wide.paths[0].value) for wide in closed.matches)
