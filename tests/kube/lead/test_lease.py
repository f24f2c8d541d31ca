"""A replica in the election: who leads when, in every fault of the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.kube.beside import settle
from tests.kube.fake_api_server import FakeApiServer, FakeClient, refused
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import Manifest, Parameters
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.election import DURATION, GIVE_UP
from wardgate.kube.lead.lease import Lease
from wardgate.tasks import spawn

PATH = "/apis/coordination.k8s.io/v1/namespaces/wardgate/leases"


class LeaseClient(FakeClient):
    """``fault`` is raised by every request; ``is_stuck``: requests hang."""

    fault: Exception | None = None
    is_stuck = False

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
        await self._stumble()
        return await super().get(path, parameters)

    async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        await self._stumble()
        return await super().create(path, manifest)

    async def replace(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        await self._stumble()
        return await super().replace(path, manifest)

    async def _stumble(self) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault


@dataclass
class Replica:
    """One of them, with what it was told."""

    name: str
    client: LeaseClient
    lease: Lease
    told: list[str] = field(default_factory=list)
    start_faults: list[Exception] = field(default_factory=list)
    is_slow: bool = False
    task: asyncio.Task[None] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def lead(self) -> None:
        self.told.append("start")
        if self.start_faults:
            raise self.start_faults.pop(0)
        try:
            if not self.is_slow:
                self.told.append("started")
            await asyncio.Event().wait()
        finally:
            for _ in range(5):  # to end takes a moment
                await asyncio.sleep(0)
            self.told.append("stopped")
            self.over.set()

    def run(self) -> None:
        self.task = spawn(self.lease.run(self.lead), name=self.name)

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None


@dataclass
class Election:
    """Several replicas on one API server, in one virtual time."""

    server: FakeApiServer
    time: VirtualTime
    replicas: dict[str, Replica] = field(default_factory=dict)

    async def join(self, name: str) -> Replica:
        client = LeaseClient(self.server)
        lease = Lease(client, namespace="wardgate", name="wardgate-operator", identity=name, timing=self.time.timing)
        replica = self.replicas[name] = Replica(name, client, lease)
        replica.run()
        await settle()
        return replica

    async def after(self, seconds: float) -> None:
        """Let time pass in small steps, as it does."""
        for _ in range(round(seconds / 0.25)):
            self.time.pass_time(0.25)
            await settle()

    def leaders(self) -> list[str]:
        return [name for name, replica in self.replicas.items() if replica.lease.is_leader]


def elect(scenario: Callable[[Election], Awaitable[None]]) -> None:
    async def main() -> None:
        election = Election(FakeApiServer(), VirtualTime())
        try:
            await scenario(election)
        finally:
            for replica in election.replicas.values():
                await replica.end()

    asyncio.run(main())


def test_first_replica_leads_at_once() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        assert (["one"], "one", ["start", "started"]) == (election.leaders(), one.lease.holder, one.told)

    elect(scenario)


def test_second_replica_waits_as_long_as_the_first_renews() -> None:
    async def scenario(election: Election) -> None:
        await election.join("one")
        two = await election.join("two")
        await election.after(60)
        assert (["one"], "one", []) == (election.leaders(), two.lease.holder, two.told)

    elect(scenario)


def test_killed_leader_is_replaced_within_fifteen_seconds() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await election.join("two")
        await election.after(30)
        await one.end()
        await election.after(DURATION - 3)
        assert election.leaders() == []
        await election.after(15 - DURATION + 3)
        assert election.leaders() == ["two"]

    elect(scenario)


def test_leader_that_ends_in_order_is_replaced_within_little_more_than_a_second() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        two = await election.join("two")
        await election.after(30)
        await one.end()
        await one.lease.release()
        await election.after(1)
        assert (["two"], ["start", "started"]) == (election.leaders(), two.told)
        assert ["start", "started", "stopped"] == one.told

    elect(scenario)


def test_there_are_never_two_leaders() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await election.join("two")
        await election.after(10)
        one.client.fault = ConnectionFailed("no route")
        counts = set()
        for _ in range(80):
            await election.after(0.25)
            counts.add(len(election.leaders()))
        assert ({0, 1}, ["two"]) == (counts, election.leaders())

    elect(scenario)


def test_leader_that_cannot_renew_stops_after_seven_seconds_and_no_sooner() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await election.after(20)
        one.client.fault = ConnectionFailed("no route")
        await election.after(GIVE_UP - 2.25)
        assert one.lease.is_leader
        await election.after(2.5)
        assert (False, "stopped") == (one.lease.is_leader, one.told[-1])
        assert "Lease wardgate/wardgate-operator cannot be renewed (no route)." == one.lease.problem

    elect(scenario)


def test_leader_whose_time_is_over_stops_before_it_tries_to_renew() -> None:
    """A try may take seconds, and another replica may lead after three of them."""

    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await election.after(20)
        one.client.fault = ConnectionFailed("no route")
        await election.after(GIVE_UP - 0.75)
        assert one.lease.is_leader
        one.client.is_stuck = True
        await election.after(0.75)
        assert "stopped" == one.told[-1]

    elect(scenario)


def test_nothing_is_left_of_a_leader_that_is_stopped_twice() -> None:
    """The process ends while the leader ends already, because the Lease is lost."""

    async def scenario(election: Election) -> None:
        one = await election.join("one")
        assert one.task is not None
        stolen = election.server.get(f"{PATH}/wardgate-operator")
        stolen["spec"]["holderIdentity"] = "thief"
        election.server.replace(f"{PATH}/wardgate-operator", stolen)
        election.time.pass_time(2.25)
        while one.lease.is_leader:  # noqa: ASYNC110 - what is awaited has no event
            await asyncio.sleep(0)
        assert "stopped" not in one.told
        one.task.cancel()
        await asyncio.wait({one.task})
        assert "stopped" == one.told[-1]

    elect(scenario)


def test_nothing_is_left_of_the_leader_when_the_election_ends() -> None:
    """What is set free next may be taken at once."""

    async def scenario(election: Election) -> None:
        one = await election.join("one")
        assert one.task is not None
        one.task.cancel()
        await asyncio.wait({one.task})
        assert "stopped" == one.told[-1]

    elect(scenario)


def test_short_fault_of_the_server_costs_no_leadership() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await election.after(20)
        one.client.fault = ConnectionFailed("no route")
        await election.after(4)
        one.client.fault = None
        await election.after(20)
        assert (True, ["start", "started"], "") == (one.lease.is_leader, one.told, one.lease.problem)

    elect(scenario)


def test_leader_that_lost_it_leads_again_when_nobody_else_wanted_it() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.client.fault = ConnectionFailed("no route")
        await election.after(20)
        one.client.fault = None
        await election.after(2)
        assert ["start", "started", "stopped", "start", "started"] == one.told

    elect(scenario)


def test_lease_that_another_took_is_lost_at_the_next_look() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        stolen = election.server.get(f"{PATH}/wardgate-operator")
        stolen["spec"]["holderIdentity"] = "thief"
        election.server.replace(f"{PATH}/wardgate-operator", stolen)
        await election.after(2.25)
        assert (False, "thief", "stopped") == (one.lease.is_leader, one.lease.holder, one.told[-1])

    elect(scenario)


def test_two_that_want_it_at_the_same_time_do_not_both_get_it() -> None:
    async def scenario(election: Election) -> None:
        await asyncio.gather(election.join("one"), election.join("two"))
        assert len(election.leaders()) == 1

    elect(scenario)


def test_taking_over_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.start_faults = [KubeError("no list"), KeyError("sk-secret")]
        await election.after(20)
        one.client.fault = ConnectionFailed("no route")
        await election.after(10)
        one.client.fault = None
        await election.after(5)
        assert ["stopped", "start", "start", "start", "started"] == one.told[2:]

    elect(scenario)
    assert "Taking over as leader failed and is tried again: no list" in caplog.text
    assert "Internal error (KeyError in lead" in caplog.text
    assert "sk-secret" not in caplog.text


def test_taking_over_is_broken_off_when_leadership_is_lost() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.client.fault = ConnectionFailed("no route")
        one.is_slow = True
        await election.after(10)
        one.client.fault = None
        await election.after(2)
        one.client.fault = ConnectionFailed("no route")
        await election.after(10)
        assert ["start", "started", "stopped", "start", "stopped"] == one.told

    elect(scenario)


def test_missing_right_is_told_with_the_remedy() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.client.fault = refused(403, "Forbidden")
        await election.after(3)
        assert "Allow the operator's ServiceAccount to get, create and update leases in namespace wardgate." in (
            one.lease.problem
        )

    elect(scenario)


def test_other_refusals_are_told() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.client.fault = refused(500, "InternalError")
        await election.after(3)
        assert one.lease.problem == "Lease wardgate/wardgate-operator cannot be renewed (500 InternalError)."

    elect(scenario)


def test_unforeseen_fault_ends_nothing() -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        one.client.fault = KeyError("sk-secret")
        await election.after(3)
        assert "Internal error (KeyError in _stumble" in one.lease.problem
        assert "sk-secret" not in one.lease.problem
        one.client.fault = None
        await election.after(2)
        assert (True, "") == (one.lease.is_leader, one.lease.problem)

    elect(scenario)


def test_request_that_hangs_does_not_hold_up_the_end_of_leadership(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.kube.lead.election.GIVE_UP", 0.4)
    monkeypatch.setattr("wardgate.kube.lead.lease._RENEW", 0.05)

    async def main() -> None:
        client = LeaseClient(FakeApiServer())
        lease = Lease(client, namespace="wardgate", name="wardgate-operator", identity="one", timing=Timing())
        one = Replica("one", client, lease)
        one.run()
        await settle()
        assert ["start", "started"] == one.told
        client.is_stuck = True
        await asyncio.wait_for(one.over.wait(), 1.5)
        await one.end()

    asyncio.run(main())


def test_release_of_what_another_holds_writes_nothing() -> None:
    async def scenario(election: Election) -> None:
        await election.join("one")
        two = await election.join("two")
        await two.end()
        before = election.server.version
        await two.lease.release()
        assert before == election.server.version

    elect(scenario)


def test_release_never_fails_and_never_hangs(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(election: Election) -> None:
        one = await election.join("one")
        await one.end()
        one.client.is_stuck = True
        async with asyncio.timeout(1):
            await one.lease.release()
        assert not one.lease.is_leader

    caplog.set_level("INFO")
    elect(scenario)
    assert "another replica takes over in ten seconds" in caplog.text
