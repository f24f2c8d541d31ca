"""A cluster divided between releases."""

from __future__ import annotations

import pytest

from wardgate.api import Approval
from wardgate.control.release_scope import ReleaseScope, SelectorError, parse_selector
from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.statuses.object_status import Counts, ObjectStatus, Statuses


def gateway(name: str, labels: object) -> StoredObject:
    manifest: dict[str, object] = {"metadata": {"name": name, "labels": labels}}
    return StoredObject(ObjectRef("VirtualGateway", "infra", name), name, 1, 1, "", manifest)


def status(kind: str, name: str, counts: Counts) -> ObjectStatus:
    return ObjectStatus(ObjectRef(kind, "a", name), name, 1, Approval.ACCEPTED, "Accepted", "", 1, (), counts)


def names(snapshot: ClusterSnapshot) -> list[str]:
    return [one.ref.name for one in snapshot.of("VirtualGateway")]


SNAPSHOT = ClusterSnapshot(
    {
        "VirtualGateway": (
            gateway("ours", {"team": "ai", "stage": "live"}),
            gateway("theirs", {"team": "web", "stage": "live"}),
            gateway("nobodys", None),
        )
    }
)


def test_release_without_a_selector_serves_the_whole_cluster() -> None:
    assert SNAPSHOT is ReleaseScope({}).of(SNAPSHOT)


def test_release_serves_the_gateways_that_carry_all_its_labels() -> None:
    assert ["ours"] == names(ReleaseScope({"team": "ai", "stage": "live"}).of(SNAPSHOT))
    assert ["ours", "theirs"] == names(ReleaseScope({"stage": "live"}).of(SNAPSHOT))
    assert [] == names(ReleaseScope({"team": "nobody"}).of(SNAPSHOT))


def test_status_of_what_no_gateway_of_ours_uses_is_left_alone() -> None:
    statuses = Statuses(
        (
            status("VirtualGateway", "ours", {}),
            status("RouteTable", "used", {"num_allowed_virtual_gateways": 1}),
            status("RouteTable", "foreign", {"num_allowed_virtual_gateways": 0}),
            status("ExtAuthPolicy", "used", {"num_selected_routes": 2}),
            status("ExtAuthPolicy", "foreign", {"num_selected_routes": 0}),
            status("ExtAuthServer", "foreign", {"num_applied_policies": 1}),
        )
    )
    ours = ReleaseScope({"team": "ai"}).reported(statuses)
    assert ["VirtualGateway ours", "RouteTable used", "ExtAuthPolicy used"] == [
        f"{one.ref.kind} {one.ref.name}" for one in ours
    ]
    assert len(statuses.objects) == len(ReleaseScope({}).reported(statuses))


@pytest.mark.parametrize(
    ("text", "labels"),
    [("", {}), ("team=ai", {"team": "ai"}), (" team = ai , stage==live", {"team": "ai", "stage": "live"})],
)
def test_selector_is_read(text: str, labels: dict[str, str]) -> None:
    assert labels == parse_selector(text)


@pytest.mark.parametrize("text", ["team", "=ai", "team=ai,stage"])
def test_selector_that_is_none_is_told(text: str) -> None:
    with pytest.raises(SelectorError, match="is not LABEL=VALUE"):
        parse_selector(text)
