"""Routes that only a foreign guard would guard are closed, and no others."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.translate.cluster import Cluster
from tests.translate.tenants import ANY_HOST, ISOLATED, actions, gateway, made, prefix, route, routes, status, table
from wardgate.api import Approval
from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.ir import DirectResponse, Refuse
from wardgate.problems import Cause, ObjectRef
from wardgate.settings import Settings
from wardgate.translate import Memo, Translation, translate
from wardgate.translate.findings import Findings
from wardgate.translate.foreign.guards import GuardAttachment, tell_tables
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.tenancy import Tenancy

Manifest = dict[str, Any]

CLOSED = Refuse(403, "foreign_guard")
OPEN = DirectResponse(200, "")
TO_REVIEWS: Manifest = {"forwardTo": {"destinations": [{"ref": {"name": "reviews"}, "port": {"number": 80}}]}}
THERE = route("there", prefix("/there"), to=TO_REVIEWS)
ELSEWHERE = route("elsewhere")
SHARED = Settings()


def guard(where: str = "infra/guard", kind: str = "JWTPolicy", **spec: Any) -> Manifest:
    return made(kind, where, spec) | {"apiVersion": f"{GUARDS[kind].group}/v2"}


def labelled(**labels: str) -> list[Manifest]:
    return [{"route": {"labels": labels}}]


def policy(where: str, **labels: str) -> Manifest:
    auth = {"apiKeyAuth": {"headerName": "api-key", "labelSelector": {"team": "a"}}}
    return made(
        "ExtAuthPolicy",
        where,
        {"applyToRoutes": labelled(**labels), "config": {"glooAuth": {"configs": [auth]}}},
    )


def infra(*entries: Manifest, namespace: str = "infra") -> Manifest:
    return table(f"{namespace}/rt", *entries, **ANY_HOST)


def result(*manifests: Manifest, settings: Settings = SHARED) -> Translation:
    admits = [{"host": "*", "selector": {"namespace": name}} for name in ("infra", "team-a", "team-b")]
    return translate(Cluster().apply(gateway(*admits), *manifests).snapshot(), settings)


@pytest.mark.parametrize("kind", [name for name, kind in GUARDS.items() if kind.reach.value == "routes"])
def test_route_of_each_kind_of_guard_is_closed(kind: str) -> None:
    found = result(infra(route("r", labels={"team": "a"})), guard(kind=kind, applyToRoutes=labelled(team="a")))

    assert {"infra/rt/r": CLOSED} == actions(found)


@pytest.mark.parametrize("kind", [name for name, kind in GUARDS.items() if kind.reach.value == "destinations"])
def test_route_to_the_destination_of_a_guard_is_closed(kind: str) -> None:
    found = result(
        infra(THERE, ELSEWHERE),
        guard(kind=kind, applyToDestinations=[{"selector": {"name": "reviews", "namespace": "infra"}}]),
    )

    assert {"infra/rt/there": CLOSED, "infra/rt/elsewhere": OPEN} == actions(found)


def test_route_that_a_valid_policy_guards_stays_as_it_is() -> None:
    found = result(
        infra(route("r", labels={"team": "a"})), policy("infra/keys", team="a"), guard(applyToRoutes=labelled(team="a"))
    )

    assert [(OPEN, "infra/keys")] == [(one.action, one.auth) for one in routes(found)]


def test_guard_on_other_routes_closes_nothing() -> None:
    found = result(infra(route("r", labels={"team": "a"})), guard(applyToRoutes=labelled(team="b")))

    assert {"infra/rt/r": OPEN} == actions(found)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"applyToRoutes": []},
        {"applyToRoutes": [], "applyToDestinations": [{}]},
        {"applyToRoutes": [{"route": None}]},
        {"applyToRoutes": [{"route": {"labels": {"team": None}}}]},
    ],
)
def test_guard_without_selectors_means_every_route(spec: Manifest) -> None:
    found = result(infra(route("r", labels={"team": "a"})), guard(**spec))

    assert {"infra/rt/r": CLOSED} == actions(found)


def test_guard_of_destinations_alone_means_no_other_route() -> None:
    found = result(
        infra(THERE, ELSEWHERE),
        guard(applyToDestinations=[{"selector": {"name": "reviews"}}]),
    )

    assert {"infra/rt/there": CLOSED, "infra/rt/elsewhere": OPEN} == actions(found)


def test_access_policy_without_selectors_means_every_destination() -> None:
    found = result(
        infra(THERE, ELSEWHERE),
        guard(kind="AccessPolicy"),
    )

    assert {"infra/rt/there": CLOSED, "infra/rt/elsewhere": OPEN} == actions(found)


def test_access_policy_of_workloads_means_no_route() -> None:
    found = result(
        infra(THERE),
        guard(kind="AccessPolicy", applyToWorkloads=[{"selector": {}}], applyToDestinations=[{}]),
    )

    assert CLOSED not in actions(found).values()


@pytest.mark.parametrize("spec", [{"applyToRoutes": "all"}, {"applyToRoutes": [7]}, 7])
def test_guard_whose_selectors_nobody_can_read_may_mean_every_route(spec: object) -> None:
    guarded = route("guarded", prefix("/guarded"), labels={"team": "a"})
    found = result(infra(guarded, route("r", prefix("/r"))), policy("infra/keys", team="a"), {**guard(), "spec": spec})

    assert CLOSED == actions(found)["infra/rt/r"]
    assert CLOSED != actions(found)["infra/rt/guarded"]
    assert any("Its selectors cannot be read" in problem.message for problem in found.statuses.problems)


def test_guard_of_a_tenant_whose_selectors_nobody_can_read_closes_routes_of_the_tenant_alone() -> None:
    found = result(
        infra(route("r", prefix("/p"))),
        infra(route("r", prefix("/t")), namespace="team-a"),
        guard("team-a/guard", applyToRoutes="all"),
        settings=ISOLATED,
    )

    assert {"infra/rt/r": OPEN, "team-a/rt/r": CLOSED} == actions(found)


def test_access_policy_whose_selectors_nobody_can_read_may_mean_every_destination() -> None:
    found = result(infra(THERE, ELSEWHERE), guard(kind="AccessPolicy", applyToDestinations="all"))

    assert {"infra/rt/there": CLOSED, "infra/rt/elsewhere": OPEN} == actions(found)


def test_route_that_is_closed_already_keeps_its_reason() -> None:
    broken = made("ExtAuthPolicy", "infra/keys", {"applyToRoutes": labelled(team="a"), "config": {"glooAuth": {}}})
    found = result(infra(route("r", labels={"team": "a"})), broken, guard())

    assert {"infra/rt/r": Refuse(500, "policy_invalid")} == actions(found)


def test_required_authentication_is_the_reason_where_both_close() -> None:
    found = result(infra(route("r")), guard(), settings=Settings(require_auth=True))

    assert {"infra/rt/r": Refuse(401, "auth_required")} == actions(found)


def test_ignored_guard_closes_nothing_and_is_told() -> None:
    found = result(infra(route("r")), guard(), settings=Settings(foreign_guards="ignore"))

    (problem,) = found.statuses.problems
    assert {"infra/rt/r": OPEN} == actions(found)
    assert "It is open, because foreign guards are ignored." in problem.message


def test_guard_that_is_gone_opens_its_route_with_the_next_translation() -> None:
    cluster, memo = Cluster().apply(gateway(), infra(route("r")), guard()), Memo()
    before = translate(cluster.snapshot(), SHARED, memo=memo)
    cluster.delete(ObjectRef("JWTPolicy", "infra", "guard"))
    after = translate(cluster.snapshot(), SHARED, memo=memo)

    assert [{"infra/rt/r": CLOSED}, {"infra/rt/r": OPEN}] == [actions(before), actions(after)]


def test_guard_of_a_kind_that_nobody_could_list_since_the_start_stays_as_it_was_last_seen() -> None:
    cluster = Cluster().apply(gateway(), infra(route("r")), guard())
    before = translate(cluster.snapshot(), SHARED)
    held = cluster.delete(ObjectRef("JWTPolicy", "infra", "guard")).snapshot()
    unlisted = replace(held, unlisted_kinds=frozenset({"JWTPolicy"}))

    after = translate(unlisted, SHARED, last_good=before.last_good)
    later = translate(unlisted, SHARED, last_good=after.last_good)
    listed = translate(held, SHARED, last_good=later.last_good)

    closed = {"infra/rt/r": CLOSED}
    assert [closed, closed, {"infra/rt/r": OPEN}] == [actions(after), actions(later), actions(listed)]
    assert ObjectRef("JWTPolicy", "infra", "guard") not in listed.last_good


def test_guard_of_a_kind_whose_crd_is_gone_stays_as_it_was_last_seen() -> None:
    cluster = Cluster().apply(gateway(), infra(route("r")), guard())
    before = translate(cluster.snapshot(), SHARED)
    cluster.absent = frozenset({"JWTPolicy"})
    gone = replace(cluster.snapshot(), unlisted_kinds=cluster.absent)
    after = translate(gone, SHARED, last_good=before.last_good)
    later = translate(gone, SHARED, last_good=after.last_good)

    assert [{"infra/rt/r": CLOSED}] * 2 == [actions(after), actions(later)]


def test_nothing_is_remembered_of_a_guard_but_what_it_selects() -> None:
    cluster = Cluster().apply(gateway(), infra(route("r")), guard(applyToRoutes=labelled(team="a"), config={"x": "y"}))
    cluster.apply(guard("infra/odd") | {"spec": 7})
    first = translate(cluster.snapshot(), SHARED)
    second = translate(cluster.snapshot(), SHARED, last_good=first.last_good)
    kept = {ref.name: stored.manifest["spec"] for ref, stored in first.last_good.items() if ref.kind == "JWTPolicy"}

    assert {"guard": {"applyToRoutes": labelled(team="a")}, "odd": 7} == kept
    assert second.last_good is first.last_good


def test_newer_form_of_a_guard_counts_although_its_kind_was_not_listed_everywhere() -> None:
    cluster = Cluster().apply(gateway(), infra(route("r")), guard())
    before = translate(cluster.snapshot(), SHARED)
    cluster.apply(guard(applyToRoutes=labelled(team="none")))
    after = translate(
        replace(cluster.snapshot(), unlisted_kinds=frozenset({"JWTPolicy"})), SHARED, last_good=before.last_good
    )

    assert {"infra/rt/r": OPEN} == actions(after)


def test_changed_guard_is_seen_by_a_translation_with_a_memory() -> None:
    cluster, memo = Cluster().apply(gateway(), infra(route("r")), guard(applyToRoutes=labelled(team="a"))), Memo()
    before = translate(cluster.snapshot(), SHARED, memo=memo)
    after = translate(cluster.apply(guard()).snapshot(), SHARED, memo=memo)

    assert [{"infra/rt/r": OPEN}, {"infra/rt/r": CLOSED}] == [actions(before), actions(after)]


def test_table_with_closed_routes_says_so_in_its_status() -> None:
    found = result(infra(route("r")), guard())

    table_status = status(found, "infra/rt")
    assert Approval.WARNING is table_status.approval
    assert (
        "1 of the routes of RouteTable infra/rt is closed (403): JWTPolicy infra/guard should guard it, which Wardgate "
        "does not implement. Write an ExtAuthPolicy instead, or open such routes with --foreign-guards ignore."
    ) == table_status.message


def test_what_a_table_is_told_follows_from_the_guard() -> None:
    found = result(infra(route("r")), guard())

    guarded, closed = found.statuses.problems
    assert ("JWTPolicy", None) == (guarded.ref.kind, guarded.cause)
    assert ("RouteTable", Cause(guarded.ref)) == (closed.ref.kind, closed.cause)


# Isolated tenancy: infra is the platform, team-a and team-b are tenants.


def test_guard_of_a_tenant_closes_routes_of_its_own_tables_alone() -> None:
    found = result(
        infra(route("p", prefix("/p"))),
        infra(route("a", prefix("/a")), namespace="team-a"),
        infra(route("b", prefix("/b")), namespace="team-b"),
        guard("team-a/guard"),
        settings=ISOLATED,
    )

    assert {"infra/rt/p": OPEN, "team-a/rt/a": CLOSED, "team-b/rt/b": OPEN} == actions(found)


def test_guard_of_the_platform_closes_routes_of_tenants() -> None:
    found = result(infra(route("a"), namespace="team-a"), guard(), settings=ISOLATED)

    assert {"team-a/rt/a": CLOSED} == actions(found)


def test_tenant_does_not_lift_a_guard_of_the_platform_with_a_policy_of_its_own() -> None:
    found = result(
        infra(route("a", labels={"team": "a"}), namespace="team-a"),
        policy("team-a/keys", team="a"),
        guard(),
        settings=ISOLATED,
    )

    assert [(CLOSED, None)] == [(one.action, one.auth) for one in routes(found)]


def test_tenant_is_told_whose_policy_a_guard_of_the_platform_needs() -> None:
    rows = table("team-a/rt", route("r", labels={"team": "a"}), **ANY_HOST)
    found = result(rows, guard(applyToRoutes=labelled(team="a")), policy("team-a/keys", team="a"), settings=ISOLATED)

    told = [problem.message for problem in found.statuses.problems if "is closed (403)" in problem.message]
    assert 2 == len(told)
    assert any("Write an ExtAuthPolicy in a platform namespace instead" in message for message in told)
    assert any("no valid ExtAuthPolicy in a platform namespace guards it instead" in message for message in told)


def test_policy_of_the_platform_stands_in_for_guards_of_both() -> None:
    found = result(
        infra(route("a", labels={"team": "a"}), namespace="team-a"),
        policy("infra/keys", team="a"),
        guard(),
        guard("team-a/guard"),
        settings=ISOLATED,
    )

    assert [(OPEN, "infra/keys")] == [(one.action, one.auth) for one in routes(found)]


def test_policy_of_a_tenant_stands_in_for_the_tenants_own_guard() -> None:
    found = result(
        infra(route("a", labels={"team": "a"}), namespace="team-a"),
        policy("team-a/keys", team="a"),
        guard("team-a/guard"),
        settings=ISOLATED,
    )

    assert [(OPEN, "team-a/keys")] == [(one.action, one.auth) for one in routes(found)]


class Counting(list[RouteInstance]):
    """Counts how often a route is looked at."""

    looks = 0

    def __getitem__(self, number: Any) -> Any:
        self.looks += 1
        return super().__getitem__(number)


def test_guards_of_one_selection_are_told_with_the_work_of_one() -> None:
    numbers = frozenset(range(20))
    refs = [ObjectRef("JWTPolicy", "infra", f"guard-{number:02}") for number in range(50)]
    origin = ObjectRef("RouteTable", "infra", "rt")
    instances = Counting(cast("RouteInstance", SimpleNamespace(origin=(origin, number))) for number in numbers)
    findings = Findings()
    attachment = GuardAttachment(unmet=dict.fromkeys(refs, numbers))
    tell_tables(attachment, instances, tenancy=Tenancy.of(SHARED), findings=findings)
    (problem,) = findings.all()

    assert "20 of the routes" in problem.message
    assert "JWTPolicy infra/guard-00 and 49 more should guard them" in problem.message
    assert len(numbers) == instances.looks
