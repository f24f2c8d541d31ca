"""Counted, not timed: what a thousand routes, 200 policies and 10,000 keys cost."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.api import identify
from wardgate.ir import DirectResponse
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.store import Store
from wardgate.translate import Memo, translate
from wardgate.translate.contract import KeyForm
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.secrets import secret_index
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.secrets.key_reader import UsableKey, read_key
from wardgate.translate.secrets.secret_references import DecodedSecret
from wardgate.translate.selection.policy_selectors import RouteCriteria, Selectors
from wardgate.translate.selection.route_finder import RouteFinder

_POLICIES, _ROUTES, _KEYS = 200, 1000, 10_000


def _object(group: str, kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{group}/v2", "kind": kind, "metadata": {"name": name, "namespace": "infra"}, "spec": spec}


def _key(number: int) -> dict[str, Any]:
    metadata = {"name": f"k{number}", "namespace": "infra", "labels": {"team": f"team-{number % _POLICIES}"}}
    data = {"api-key": base64.b64encode(f"key {number}".encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "type": "extauth.solo.io/apikey", "metadata": metadata, "data": data}


def _cluster() -> Cluster:
    networking, security = "networking.gloo.solo.io", "security.policy.gloo.solo.io"
    cluster = Cluster().apply(
        _object(networking, "VirtualGateway", "gw", listeners=[{"http": {}, "port": {"number": 80}}])
    )
    forward = {"destinations": [{"ref": {"name": "web"}, "port": {"number": 80}}]}
    routes = [
        {
            "labels": {"team": f"team-{number % _POLICIES}"},
            "matchers": [{"uri": {"prefix": f"/{number}"}}],
            "forwardTo": forward,
        }
        for number in range(_ROUTES)
    ]
    for number in range(10):
        own = routes[number::10]
        table = _object(networking, "RouteTable", f"t{number}", hosts=["*"], virtualGateways=[{"name": "gw"}], http=own)
        cluster.apply(table)
    for number in range(_POLICIES):
        selector = {"team": f"team-{number}"}
        auth = {"configs": [{"apiKeyAuth": {"k8sSecretApikeyStorage": {"labelSelector": selector}}}]}
        routes_of = [{"route": {"labels": selector}}]
        cluster.apply(
            _object(security, "ExtAuthPolicy", f"p{number}", applyToRoutes=routes_of, config={"glooAuth": auth})
        )
    return cluster.apply(*(_key(number) for number in range(_KEYS)))


@pytest.mark.no_cover
def test_changed_key_costs_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, store, memo = _cluster(), Store(), Memo()
    for stored in cluster.objects.values():
        store.upsert(stored)
    first = translate(store.freeze(), Settings(), memo=memo)
    assert _KEYS == len(first.config.credentials)
    read: list[object] = []

    def reading(secret: DecodedSecret, *, form: KeyForm, limit: int) -> UsableKey | RefusedKey:
        read.append(secret.stored.ref)
        return read_key(secret, form=form, limit=limit)

    monkeypatch.setattr(secret_index, "read_key", reading)
    changed = _key(0) | {"data": {"api-key": base64.b64encode(b"changed").decode()}}
    ref = identify(changed)
    store.upsert(cluster.apply(changed).objects[ref])
    second = translate(store.freeze(), Settings(), last_good=first.last_good, memo=memo)
    assert ([ref], True) == (read, {"routing", "policies", "config"}.isdisjoint(memo.ran))
    assert second.config.listeners == first.config.listeners
    kept = {id(one) for one in first.config.credentials} & {id(one) for one in second.config.credentials}
    assert _KEYS - 1 == len(kept)


def test_selecting_routes_costs_what_is_selected() -> None:
    instances = [
        RouteInstance(
            ObjectRef("RouteTable", "a", "t"), number, f"r{number}", (), DirectResponse(200),
            labels=frozenset({("team", f"team-{number % _POLICIES}"), ("all", "yes")}),
        )
        for number in range(_ROUTES)
    ]  # fmt: skip
    finder = RouteFinder(instances, cluster_name=None)
    for number in range(_POLICIES):
        selector = RouteCriteria((("all", "yes"), ("team", f"team-{number}")))
        finder.by_policy(Selectors((selector,)), within="a", restricts=True)
    assert finder.index.examined <= _ROUTES
