"""Policies that demand keys are not taken for deleted because their kind is: that would open what they closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.kube.beside import settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, RecordingSink
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import Manifest, Parameters
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.watch.kopf_events import KopfEvents
from wardgate.kube.watch.kopf_thread import Observed
from wardgate.kube.watch.resync import Resync
from wardgate.problems import ObjectRef
from wardgate.tasks import spawn

POLICY = "ExtAuthPolicy"
USUAL = ["delete", "get", "list", "patch", "create", "update", "watch"]
TERMINATING = ["delete", "get", "list", "watch"]


def _discovery(verbs: list[str]) -> Manifest:
    others = {"name": "extauthpolicies/status", "verbs": USUAL}
    return {"kind": "APIResourceList", "resources": [others, {"name": "extauthpolicies", "verbs": verbs}]}


class FakeGroup(FakeCollection):
    """A kind without objects, and what discovery says of its group."""

    def __init__(self, discovered: Manifest | Exception) -> None:
        super().__init__()
        self.discovered = discovered
        self.asked: list[str] = []

    async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
        self.asked.append(path)
        if isinstance(self.discovered, Exception):
            raise self.discovered
        return self.discovered


def _told(client: FakeGroup, kind: str = POLICY) -> tuple[list[str], Resync]:
    """What one list of the kind tells the sink."""

    async def main() -> tuple[list[str], Resync]:
        sink = RecordingSink()
        resync = Resync(client, sink=sink, timing=VirtualTime().timing, kinds=[kind])
        await resync.list_again()
        return sink.told, resync

    return asyncio.run(main())


@pytest.mark.parametrize(
    "discovered",
    [
        _discovery(TERMINATING),
        {"kind": "APIResourceList", "resources": []},
        {"kind": "APIResourceList", "resources": None},
        refused(404, "NotFound"),
    ],
)
def test_kind_that_is_going_away_is_absent_before_its_objects_are_gone(discovered: Manifest | ApiError) -> None:
    told, resync = _told(FakeGroup(discovered))
    assert [f"absent {POLICY}"] == told
    assert ((), frozenset()) == (resync.missing(), resync.watchable)
    assert "extauthpolicies.security.policy.gloo.solo.io" in resync.problems[0]


def test_guards_of_a_kind_that_is_going_away_stay_as_they_were_last_seen() -> None:
    told, resync = _told(FakeGroup({"resources": [{"name": "jwtpolicies", "verbs": TERMINATING}]}), "JWTPolicy")
    assert ["unlisted JWTPolicy ", "absent JWTPolicy"] == told
    assert ((), ()) == (resync.missing(), resync.problems)


@pytest.mark.parametrize("discovered", [_discovery(USUAL), refused(403, "Forbidden")])
def test_kind_that_stays_may_be_empty(discovered: Manifest | ApiError) -> None:
    client = FakeGroup(discovered)
    told, _ = _told(client)
    assert [f"replaced {POLICY} [] as of 10, at least -1"] == told
    assert ["/apis/security.policy.gloo.solo.io/v2"] == client.asked


def test_list_counts_for_nothing_while_it_is_not_known_whether_the_kind_stays() -> None:
    with pytest.raises(ConnectionFailed):
        _told(FakeGroup(ConnectionFailed("no answer")))


def test_kinds_that_close_nothing_are_believed() -> None:
    client = FakeGroup(_discovery(TERMINATING))
    told, _ = _told(client, "RouteTable")
    assert (["replaced RouteTable [] as of 10, at least -1"], []) == (told, client.asked)


class FakeThread:
    """kopf, speaking when it is told to."""

    def __init__(self, *_: Any, observe: Callable[[Observed], None], **__: Any) -> None:
        observers.append(observe)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(self) -> None: ...

    async def stop(self) -> None: ...


observers: list[Callable[[Observed], None]] = []


@pytest.mark.parametrize(
    ("kind", "told", "listed"),
    [(POLICY, [], [POLICY]), ("JWTPolicy", [], ["JWTPolicy"]), ("RouteTable", ["removed one at 7"], [])],
)
def test_policy_that_kopf_reports_deleted_is_looked_for_by_a_list(
    monkeypatch: pytest.MonkeyPatch, kind: str, told: list[str], listed: list[str]
) -> None:
    monkeypatch.setattr("wardgate.kube.watch.kopf_events.KopfThread", FakeThread)
    observers.clear()
    sink, lists = RecordingSink(), list[str]()

    async def scenario() -> None:
        timing = VirtualTime().timing
        kopf_events = KopfEvents(
            FakeCollection(), sink=sink, timing=timing, watchable=lambda: frozenset({kind}), on_relist=lists.append
        )
        task = spawn(kopf_events.run(), name="kopf events")
        await settle()
        observers[0](Observed(ObjectRef(kind, "apps", "one"), version=7, obj=None, status=None, was_listed=False))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert (told, listed) == (sink.told, lists)
