"""Resync, kopf and the Secrets' watches put together: what each has to know of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.kube.beside import beside, settle
from tests.kube.fake_api_server import refused
from tests.kube.virtual_time import VirtualTime
from tests.kube.watch.test_resync import FakeKinds
from wardgate.api import KINDS
from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.watch.cluster_watch import ClusterWatch, WatchScope
from wardgate.kube.watch.kind_resources import READ_KINDS, resource_of
from wardgate.kube.watch.secrets_watch import SecretsScope
from wardgate.problems import ObjectRef
from wardgate.store import Store

POLICIES = "/apis/security.policy.gloo.solo.io/v2/extauthpolicies"
JWT_POLICIES = "/apis/security.policy.gloo.solo.io/v2/jwtpolicies"
SECRETS = "/api/v1/secrets"


class FakeThread:
    """kopf, which is somewhere else."""

    kinds: list[frozenset[str]]

    def __init__(self, resources: list[Any], **_: Any) -> None:
        FakeThread.kinds.append(frozenset(resource.kind for resource in resources))
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """It runs."""

    async def stop(self) -> None:
        """It ends."""


@pytest.fixture(autouse=True)
def _no_kopf(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeThread.kinds = []
    monkeypatch.setattr("wardgate.kube.watch.kopf_events.KopfThread", FakeThread)


class FakeApi(FakeKinds):
    """Discovery says of every kind that objects can be made."""

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        plurals = [*(kind.plural for kind in KINDS.values()), *(kind.plural for kind in GUARDS.values())]
        return {"resources": [{"name": plural, "verbs": ["create"]} for plural in plurals]}


@dataclass
class Run:
    client: FakeApi
    store: Store
    time: VirtualTime
    watch: ClusterWatch
    told: list[str] = field(default_factory=list)

    async def after(self, seconds: float) -> None:
        self.time.pass_time(seconds)
        await settle()


def watch(
    scenario: Callable[[Run], Awaitable[None]],
    scope: WatchScope | None = None,
    *,
    refusals: dict[str, Exception] | None = None,
) -> None:
    async def main() -> None:
        client, store, time = FakeApi(), Store(), VirtualTime()
        client.refusals = refusals or {}
        told: list[str] = []
        it = ClusterWatch(
            client,
            store,
            scope=scope or WatchScope(),
            timing=time.timing,
            on_change=lambda: told.append("changed"),
            on_rollback=lambda: told.append("rolled back"),
        )
        kinds = KINDS if scope is not None and not scope.guards else READ_KINDS
        assert len(kinds) + 2 == len(it.missing())
        async with beside(it.run(), name="watch"):
            await settle()
            await scenario(Run(client, store, time, it, told))

    asyncio.run(main())


def test_everything_is_listed_and_watched() -> None:
    async def scenario(run: Run) -> None:
        assert ((), (), True) == (run.watch.missing(), run.watch.problems(), run.watch.is_live())
        assert {**dict.fromkeys(KINDS, 0.0), "Secret": 0.0} == run.watch.ages()
        assert "changed" in run.told

    watch(scenario)


async def _settled(run: Run) -> None:
    """Let kopf be started with all the kinds there are."""
    await run.after(0.3)


def test_kopf_watches_every_kind_that_can_be_listed() -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        assert set(READ_KINDS) == FakeThread.kinds[-1]

    watch(scenario)


def test_foreign_kinds_are_not_read_where_they_are_ignored() -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        assert set(KINDS) == FakeThread.kinds[-1]
        assert set(KINDS) == {lister.kind for lister in run.watch.resync.listers}

    watch(scenario, WatchScope(guards=False))


def test_foreign_kind_that_cannot_be_read_holds_nothing_up_and_is_told() -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        assert set(READ_KINDS) - {"JWTPolicy"} == FakeThread.kinds[-1]
        assert ((), True) == (run.watch.missing(), run.watch.is_live())
        assert {"JWTPolicy"} == run.store.freeze().unlisted_kinds
        (problem,) = run.watch.problems()
        assert problem.endswith("and routes that only a newer JWTPolicy guards are open.")

    watch(scenario, refusals={JWT_POLICIES: refused(403, "Forbidden")})


def test_foreign_kind_without_a_crd_takes_nothing_back_and_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(run: Run) -> None:
        assert ((), (), True) == (run.watch.missing(), run.watch.problems(), run.watch.is_live())
        assert "JWTPolicy" in run.store.freeze().absent_kinds
        assert {"JWTPolicy"} == run.store.freeze().unlisted_kinds

    watch(scenario, refusals={JWT_POLICIES: refused(404, "NotFound")})
    assert "" == caplog.text


def test_foreign_kind_that_cannot_be_listed_is_waited_for_and_not_for_ever() -> None:
    async def scenario(run: Run) -> None:
        assert ("Listing jwtpolicies in all namespaces failed (no route). What was last seen stays in force.",) == (
            run.watch.missing()
        )
        for _ in range(40):
            await run.after(1.0)
        assert ((), True) == (run.watch.missing(), run.watch.is_live())

    watch(scenario, refusals={JWT_POLICIES: ConnectionFailed("no route")})


def test_new_leader_does_not_wait_for_a_foreign_kind() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals[JWT_POLICIES] = ConnectionFailed("no route")
        await run.watch.list_again()
        assert 1 == len(run.watch.problems())

    watch(scenario)


def test_new_leader_lists_foreign_kinds_too() -> None:
    async def scenario(run: Run) -> None:
        run.client.listed.clear()
        await run.watch.list_again()
        assert "jwtpolicies" in run.client.listed

    watch(scenario)


def test_ages_grow_until_the_next_word() -> None:
    async def scenario(run: Run) -> None:
        await run.after(20)
        assert {20.0} == set(run.watch.ages().values())

    watch(scenario)


def test_kind_that_cannot_be_read_is_left_to_the_lists() -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        assert set(READ_KINDS) - {"ExtAuthPolicy"} == FakeThread.kinds[-1]
        assert (1, 1, False) == (len(run.watch.missing()), len(run.watch.problems()), run.watch.is_live())
        assert "ExtAuthPolicy" not in run.watch.ages()

    watch(scenario, refusals={POLICIES: refused(403, "Forbidden")})


def test_keys_that_cannot_be_read_are_missing() -> None:
    async def scenario(run: Run) -> None:
        assert run.watch.problems() == run.watch.missing()
        assert (False, False) == (run.watch.is_live(), "Secret" in run.watch.ages())

    watch(scenario, refusals={SECRETS: refused(403, "Forbidden")})


def test_named_secrets_are_followed() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow_named([ObjectRef("Secret", "apps", "tls")])
        assert "Waiting for the list of secrets (metadata.name=tls) in namespace apps." in run.watch.missing()
        await settle()
        assert () == run.watch.missing()

    watch(scenario)


def test_namespaces_are_those_of_the_scope() -> None:
    async def scenario(run: Run) -> None:
        assert {"apps"} == {one.collection.namespace for one in run.watch.resync.listers}
        assert {"keys"} == {one.collection.namespace for one in run.watch.secrets.reflectors}

    watch(scenario, WatchScope(frozenset({"apps"}), SecretsScope(frozenset({"keys"}))))


def test_rolled_back_history_is_told_starts_kopf_anew_and_lists_everything() -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        run.client.listed.clear()
        run.told.clear()
        starts = len(FakeThread.kinds)
        run.client.version = 5
        await run.watch.resync.list_again()
        await settle()
        assert "rolled back" == run.told[0]
        assert "secrets" in run.client.listed
        await run.after(0.3)
        assert starts + 1 == len(FakeThread.kinds)

    watch(scenario)


def test_lists_that_fail_after_it_are_left_to_the_regular_ones(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        await _settled(run)
        run.client.version = 5
        run.client.refusals[SECRETS] = ConnectionFailed("no route")
        await run.watch.resync.list_again()
        await settle()

    caplog.set_level("INFO")
    watch(scenario)
    assert "the regular lists will do it" in caplog.text


def test_everything_can_be_listed_once_more_at_once() -> None:
    async def scenario(run: Run) -> None:
        run.client.listed.clear()
        await run.watch.list_again()
        assert {*(resource_of(kind).plural for kind in READ_KINDS), "secrets"} == set(run.client.listed)

    watch(scenario)


def test_lists_that_cannot_be_had_are_told_to_whoever_asked() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals[SECRETS] = ConnectionFailed("no route")
        with pytest.raises(ConnectionFailed):
            await run.watch.list_again()

    watch(scenario)
