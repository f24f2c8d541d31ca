"""Statuses are read as they come: half, old, or written by somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kube.verdicts import NOON, POLICY, desired, manifest, verdict
from wardgate.api import Approval
from wardgate.kube.report.reported_objects import (
    ReportedCondition,
    hosts_of,
    listeners_of,
    read_key,
    read_object,
    routes_of,
)
from wardgate.kube.status.manifest import not_programmed


def _object(status: Any = None, *, generation: int = 1, spec: Any = None) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": "apikey", "generation": generation},
        "spec": spec or {},
        "status": status,
    }


def test_our_own_status_is_read() -> None:
    reported = read_object("ExtAuthPolicy", _object(manifest(desired(verdict(message="Fine.")))))

    assert (POLICY, 1, 1, "ACCEPTED", "Fine.") == (
        reported.ref,
        reported.generation,
        reported.observed,
        reported.approval,
        reported.message,
    )
    assert ReportedCondition("True", "Programmed", "Every ready proxy serves this generation.") == reported.programmed
    assert ("True", "True", True) == (reported.accepted.status, reported.ready.status, reported.is_good)


@pytest.mark.parametrize(
    "status", [None, [], {}, {"common": 1}, {"conditions": [None, {"type": "Other"}]}, {"observedGeneration": "x"}]
)
def test_status_of_another_form_is_no_verdict(status: Any) -> None:
    reported = read_object("ExtAuthPolicy", _object(status))

    assert ("", ReportedCondition(), None, False) == (
        reported.approval,
        reported.accepted,
        reported.observed,
        reported.is_judged,
    )


def test_status_of_gloo_is_a_verdict() -> None:
    status = {"common": {"State": {"approval": "FAILED", "message": "No.", "observedGeneration": 1}}}
    reported = read_object("ExtAuthPolicy", _object(status))

    assert ("FAILED", 1, True, False) == (
        reported.approval,
        reported.observed,
        reported.is_judged,
        reported.is_good,
    )


@pytest.mark.parametrize(
    "status",
    [
        manifest(desired(verdict(Approval.WARNING))),
        manifest(desired(programming=not_programmed())),
    ],
)
def test_what_is_not_quite_right_is_not_good(status: Any) -> None:
    assert not read_object("ExtAuthPolicy", _object(status)).is_good


def test_verdict_on_an_older_generation_is_none_on_this_one() -> None:
    assert not read_object("ExtAuthPolicy", _object(manifest(), generation=2)).is_judged


@pytest.mark.parametrize(("path", "expected"), [(("keys", "usable"), 3), (("keys", "x"), None), (("x",), None)])
def test_counts_are_numbers(path: tuple[str, ...], expected: int | None) -> None:
    reported = read_object("ExtAuthPolicy", _object({"keys": {"usable": 3, "x": "y"}}))

    assert expected == reported.count(*path)


def test_listeners_are_ports_with_their_protocol() -> None:
    listeners = [
        {"http": {}, "port": {"number": 80}},
        {"http": {}, "port": {"name": "web"}, "tls": {}},
        {"tcp": {}, "port": {"number": 5432}},
        None,
    ]
    reported = read_object("VirtualGateway", _object(spec={"listeners": listeners}))

    assert ("80 HTTP", "web HTTPS", "5432 TCP", "any port TCP") == listeners_of(reported)


def test_routes_and_hosts_are_those_of_the_spec() -> None:
    table = read_object("RouteTable", _object(spec={"hosts": ["a", "b"], "http": [{}, {}]}))
    empty = read_object("RouteTable", {"metadata": None, "spec": {"hosts": None, "http": "x"}})

    assert (2, ("a", "b")) == (routes_of(table), hosts_of(table))
    assert (0, ()) == (routes_of(empty), hosts_of(empty))


@pytest.mark.parametrize(
    ("annotation", "expired", "soon"),
    [
        (None, False, False),
        ("2026-03-01T12:00:00Z", True, False),
        ("2026-03-01T12:00:01Z", False, True),
        ("2026-03-08T12:00:00Z", False, True),
        ("2026-03-08T12:00:01Z", False, False),
    ],
)
def test_expiry_of_a_key_is_that_of_its_annotation(annotation: str | None, *, expired: bool, soon: bool) -> None:
    annotations = {} if annotation is None else {"wardgate.dev/expires-at": annotation}
    key = read_key({"metadata": {"namespace": "team", "name": "key", "annotations": annotations}})

    assert (expired, soon) == (key.expired(NOON), key.expires_soon(NOON))
    assert not key.expiry_unreadable


def test_unreadable_expiry_is_said() -> None:
    key = read_key({"metadata": {"namespace": "n", "name": "k", "annotations": {"wardgate.dev/expires-at": "soon"}}})

    assert (None, True) == (key.expires_at, key.expiry_unreadable)
