"""A web of delegations is cut off where it grows too deep or too wide, and costs nobody else anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.ir import Refuse, Route
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate import Translation, translate
from wardgate.translate.routes import delegation

_NETWORKING = "networking.gloo.solo.io/v2"
_FORWARD = {"forwardTo": {"destinations": [{"ref": {"name": "web"}, "port": {"number": 80}}]}}


def _object(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": {"name": name, "namespace": "a"}, "spec": spec}


def _gateway() -> dict[str, Any]:
    return _object("VirtualGateway", "gw", listeners=[{"http": {}, "port": {"number": 80}}])


def _root(*http: dict[str, Any]) -> dict[str, Any]:
    return _object("RouteTable", "root", hosts=["*"], virtualGateways=[{"name": "gw"}], http=list(http))


def _to(name: str, **extra: Any) -> dict[str, Any]:
    return {"delegate": {"routeTables": [{"name": name}]}, **extra}


def _translated(*manifests: dict[str, Any]) -> Translation:
    return translate(Cluster().apply(_gateway(), *manifests).snapshot(), Settings())


def _routes(translation: Translation) -> list[Route]:
    return [route for host in translation.config.listeners[0].virtual_hosts for route in host.routes]


def _message(translation: Translation, name: str) -> str:
    status = translation.statuses.of(ObjectRef("RouteTable", "a", name))
    assert status is not None
    return status.message


def test_chain_of_delegations_has_an_end() -> None:
    chain = [_object("RouteTable", f"t{number}", http=[_to(f"t{number + 1}")]) for number in range(30)]
    last = _object("RouteTable", "t30", http=[_FORWARD])
    translation = _translated(_root(_to("t0")), *chain, last)
    assert [Refuse(500, "delegation_too_large")] == [route.action for route in _routes(translation)]
    assert "16 tables below one another" in _message(translation, "t14")


def test_web_of_delegations_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MAX_ROUTES", 50)
    web = [
        _object("RouteTable", f"t{number}", http=[_to(f"t{number + 1}", matchers=[{"uri": {"prefix": "/"}}])] * 3)
        for number in range(10)
    ]
    translation = _translated(_root(_to("t0")), *web, _object("RouteTable", "t10", http=[_FORWARD]))
    assert len(_routes(translation)) < 200
    assert "50 routes" in _message(translation, "t9")


def test_too_many_matchers_close_their_route_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "MAX_MATCHES", 3)
    parents = [{"uri": {"prefix": f"/{letter}"}} for letter in "abcd"]
    child = _object(
        "RouteTable",
        "child",
        http=[
            {"name": "wide", "matchers": [{"headers": [{"name": "x"}]}, {"headers": [{"name": "y"}]}], **_FORWARD},
            {"name": "open", **_FORWARD},
        ],
    )
    translation = _translated(_root(_to("child", matchers=parents)), child)
    wide, fine = _routes(translation)
    assert Refuse(500, "delegation_too_large") == wide.action
    assert not isinstance(fine.action, Refuse)
    assert "more than 3 matchers" in _message(translation, "child")
