"""Corners that no golden file shows well."""

from __future__ import annotations

from tests.translate.cluster import Cluster, documents
from wardgate.ir import Forward, Refuse
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate import Translation, translate

_GATEWAY = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gw, namespace: a}
spec: {listeners: [{http: {}, port: {number: 80}}]}
"""
_FROZEN = """
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: root, namespace: a}
spec:
  hosts: ['*']
  virtualGateways: [{name: gw}]
  failureMode: FREEZE_CONFIG
  http: [{name: web, forwardTo: {destinations: [{ref: {name: web}, port: {number: 80}}]}}]
"""
_TO_APPS = "delegate: {routeTables: [{labels: {tree: apps}}]}"
_GUARDED = """
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: guarded, namespace: a, labels: {tree: apps}}
spec:
  http:
  - matchers: [{uri: {prefix: /admin}}]
    forwardTo: {destinations: [{ref: {name: web}, port: {number: 80}}]}
"""
_WIDE = """
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: wide, namespace: a, labels: {tree: apps}}
spec: {http: [{forwardTo: {destinations: [{ref: {name: web}, port: {number: 80}}]}}]}
"""
_ROOT = ObjectRef("RouteTable", "a", "root")


def _actions(translation: Translation) -> list[object]:
    return [
        route.action
        for listener in translation.config.listeners
        for host in listener.virtual_hosts
        for route in host.routes
    ]


def test_frozen_root_that_cannot_be_read_is_served_in_its_last_good_form() -> None:
    cluster = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN)
    first = translate(cluster.snapshot(), Settings())
    cluster.apply_yaml(_FROZEN.replace("hosts: ['*']", "hosts: 5"))
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert second.config == first.config
    assert first.last_good[_ROOT] is second.last_good[_ROOT]


def test_frozen_tree_goes_live_when_it_is_good_again() -> None:
    cluster = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN)
    first = translate(cluster.snapshot(), Settings())
    cluster.apply_yaml(_FROZEN.replace("name: web}", "name: web.x}"))
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    cluster.apply_yaml(_FROZEN.replace("number: 80", "number: 81"))
    third = translate(cluster.snapshot(), Settings(), last_good=second.last_good)
    assert second.config == first.config
    assert third.config != first.config
    assert 3 == third.last_good[_ROOT].generation


def test_frozen_tree_that_never_was_good_stays_closed_where_it_is_bad() -> None:
    delegating = _FROZEN.replace("forwardTo: {destinations: [{ref: {name: web}, port: {number: 80}}]}", _TO_APPS)
    cluster = Cluster().apply_yaml(_GATEWAY).apply_yaml(delegating).apply_yaml(_GUARDED).apply_yaml(_WIDE)
    cluster.apply_yaml(_GUARDED.replace("web}, port", "web.x}, port"))
    first = translate(cluster.snapshot(), Settings())
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert [Refuse, Forward] == [type(action) for action in _actions(first)]
    assert second.config == first.config
    assert _ROOT not in second.last_good


def test_deleted_object_has_no_last_good_form() -> None:
    cluster = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN)
    first = translate(cluster.snapshot(), Settings())
    second = translate(cluster.delete(_ROOT).snapshot(), Settings(), last_good=first.last_good)
    assert _ROOT not in second.last_good
    assert [] == _actions(second)


def test_last_good_form_of_another_object_of_that_name_is_not_served() -> None:
    good = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN)
    first = translate(good.snapshot(), Settings())
    (manifest,) = documents(_FROZEN.replace("hosts: ['*']", "hosts: 5"))
    good.objects[_ROOT] = StoredObject(_ROOT, "another uid", 9, 1, "", manifest)
    assert [] == _actions(translate(good.snapshot(), Settings(), last_good=first.last_good))


def test_unreadable_last_good_form_is_no_form() -> None:
    cluster = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN.replace("hosts: ['*']", "hosts: 5"))
    stored = cluster.objects[_ROOT]
    odd = StoredObject(_ROOT, stored.uid, 0, 1, "", {"kind": "RouteTable"})
    translation = translate(cluster.snapshot(), Settings(), last_good={_ROOT: odd})
    assert [] == _actions(translation)


def test_object_stored_under_another_kind_is_invalid() -> None:
    (manifest,) = documents(_GATEWAY)
    cluster = Cluster().apply(manifest)
    cluster.objects[_ROOT] = StoredObject(_ROOT, "u", 5, 1, "", manifest)
    status = translate(cluster.snapshot(), Settings()).statuses.of(_ROOT)
    assert status is not None
    assert "UnknownKind" == status.reason


def test_requiring_auth_closes_an_open_route() -> None:
    snapshot = Cluster().apply_yaml(_GATEWAY).apply_yaml(_FROZEN).snapshot()
    assert isinstance(_actions(translate(snapshot, Settings()))[0], Forward)
    assert [Refuse(401, "auth_required")] == _actions(translate(snapshot, Settings(require_auth=True)))


def test_secrets_that_are_named_are_listed_whether_they_exist_or_not() -> None:
    gateway = _GATEWAY.replace("{number: 80}", "{number: 443}, tls: {mode: SIMPLE, secretName: cert}")
    translation = translate(Cluster().apply_yaml(gateway).snapshot(), Settings())
    assert (ObjectRef("Secret", "a", "cert"),) == translation.named_secrets


def test_unknown_object_has_no_status() -> None:
    assert None is translate(Cluster().snapshot(), Settings()).statuses.of(_ROOT)
