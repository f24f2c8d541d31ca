"""Tables that no request reaches: what they, and the policies meant for them, are told."""

from __future__ import annotations

import pytest

from tests.translate.cluster import Cluster
from wardgate.api import Approval
from wardgate.problems import Cause, ObjectRef, Problem, ProblemKind, Reason
from wardgate.settings import Settings
from wardgate.translate import Memo, Translation, translate

_API = "apiVersion: networking.gloo.solo.io/v2"
_GATEWAY = f"""
{_API}
kind: VirtualGateway
metadata: {{name: gw, namespace: a}}
spec: {{listeners: [{{http: {{}}, port: {{number: 80}}}}]}}
---
"""
_POLICIES = """
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: keys, namespace: a}
spec:
  applyToRoutes: [{route: {labels: {guard: keys}}}]
  config: {glooAuth: {configs: [{apiKeyAuth: {k8sSecretApikeyStorage: {labelSelector: {keys: llm}}}}]}}
---
apiVersion: trafficcontrol.policy.gloo.solo.io/v2
kind: TransformationPolicy
metadata: {name: t, namespace: a}
spec:
  applyToRoutes: [{route: {labels: {shape: own}}}]
  config: {request: {injaTemplate: {headers: {x-a: {text: b}}}}}
---
"""
_ROOT = ObjectRef("RouteTable", "a", "root")
_CHILD = ObjectRef("RouteTable", "a", "child")
_KEYS = ObjectRef("ExtAuthPolicy", "a", "keys")
_SHAPE = ObjectRef("TransformationPolicy", "a", "t")
_GATEWAYS = ("spec", "virtualGateways")


def _root(head: str, *, delegate: str = "delegate: {routeTables: [{labels: {team: a}}]}") -> str:
    return f"""
{_API}
kind: RouteTable
metadata: {{name: root, namespace: a}}
spec:
  {head}
  http: [{{name: down, labels: {{guard: keys}}, matchers: [{{uri: {{prefix: /a}}}}], {delegate}}}]
---
"""


def _child(route: str = "directResponse: {status: 200}", *, prefix: str = "/a/b") -> str:
    return f"""
{_API}
kind: RouteTable
metadata: {{name: child, namespace: a, labels: {{team: a}}}}
spec: {{http: [{{name: r, labels: {{shape: own}}, matchers: [{{uri: {{prefix: {prefix}}}}}], {route}}}]}}
---
"""


_ABSENT = "hosts: ['*']\n  virtualGateways: [{name: gone}]"
_MESH = "hosts: ['*']\n  workloadSelectors: [{selector: {labels: {app: page}}}]"
_SERVED = "hosts: ['*']\n  virtualGateways: [{name: gw}]"


def _translated(*texts: str, settings: Settings | None = None) -> Translation:
    return translate(Cluster().apply_yaml("".join(texts)).snapshot(), settings or Settings())


def _told(translation: Translation, ref: ObjectRef) -> list[tuple[ProblemKind, Reason, Cause | None]]:
    return [(one.kind, one.reason, one.cause) for one in _problems(translation, ref)]


def _problems(translation: Translation, ref: ObjectRef) -> tuple[Problem, ...]:
    status = translation.statuses.of(ref)
    assert status is not None
    return status.problems


def _approval(translation: Translation, ref: ObjectRef) -> Approval:
    status = translation.statuses.of(ref)
    assert status is not None
    return status.approval


def test_missing_gateway_is_the_cause_of_all_that_follows() -> None:
    translation = _translated(_root(_ABSENT), _child(), _POLICIES)
    gone = Cause(ObjectRef("VirtualGateway", "a", "gone"))
    below = Cause(_ROOT, _GATEWAYS)

    assert [(ProblemKind.ERROR, Reason.REF_NOT_FOUND, gone)] == _told(translation, _ROOT)
    assert [(ProblemKind.WARNING, Reason.NOT_SERVED, below)] == _told(translation, _CHILD)
    assert (ProblemKind.WARNING, Reason.NO_ROUTES, below) in _told(translation, _KEYS)
    assert [(ProblemKind.WARNING, Reason.NO_ROUTES, below)] == _told(translation, _SHAPE)
    assert [] == [one.message for one in translation.statuses.problems if "delegates to it, so" in one.message]
    assert [] == [one.message for one in translation.statuses.problems if "labels" in one.message]


def test_policy_that_selects_nothing_at_all_is_told_to_look_at_its_labels() -> None:
    translation = _translated(_root(_ABSENT), _child(), _POLICIES.replace("shape: own", "shape: other"))

    assert [(ProblemKind.WARNING, Reason.NO_ROUTES, None)] == _told(translation, _SHAPE)
    assert "Check the labels" in _problems(translation, _SHAPE)[0].message


def test_table_for_a_mesh_is_accepted_whatever_is_in_it() -> None:
    broken = "forwardTo: {destinations: [{ref: {name: x}, port: {number: 80}, subset: {version: v2}}]}"
    translation = _translated(_GATEWAY, _root(_MESH), _child(broken), _POLICIES)

    assert Approval.ACCEPTED == _approval(translation, _ROOT)
    assert Approval.ACCEPTED == _approval(translation, _CHILD)
    assert Approval.ACCEPTED == _approval(translation, _SHAPE)
    assert {ProblemKind.NOTE} == {one.kind for one in _problems(translation, _CHILD)}
    assert Reason.UNSUPPORTED in {one.reason for one in _problems(translation, _CHILD)}


def test_guard_that_selects_routes_of_a_mesh_alone_is_warned() -> None:
    translation = _translated(_GATEWAY, _root(_MESH), _child(), _POLICIES)
    (problem,) = [one for one in _problems(translation, _KEYS) if one.reason is Reason.NO_ROUTES]

    assert ProblemKind.WARNING is problem.kind
    assert problem.message.endswith("because of RouteTable a/root, so it guards nothing here.")


def test_table_that_names_no_gateway_and_no_workload_is_warned() -> None:
    translation = _translated(_root("hosts: ['*']"))

    assert (ProblemKind.WARNING, Reason.NOT_SERVED, None) in _told(translation, _ROOT)


@pytest.mark.parametrize("head", [_ABSENT, "weight: 1"])
def test_mistake_in_a_table_that_nobody_serves_is_a_warning_of_its_own(head: str) -> None:
    broken = "forwardTo: {destinations: [{ref: {name: x}, port: {number: 80}, subset: {version: v2}}]}"
    translation = _translated(_root(head), _child(broken))

    assert (ProblemKind.WARNING, Reason.UNSUPPORTED, None) in _told(translation, _CHILD)
    assert Approval.WARNING == _approval(translation, _CHILD)
    assert _CHILD not in translation.last_good


def test_mistake_that_decides_whether_a_table_is_served_stays_an_error() -> None:
    translation = _translated(_root("hosts: ['*']\n  virtualGateways: [{name: 5}]"))

    assert Approval.INVALID == _approval(translation, _ROOT)


@pytest.mark.parametrize(
    ("root", "field"),
    [
        (_root(_SERVED, delegate="delegate: {routeTables: [{labels: {team: a}}], sortMethod: NONE}"), 0),
        (_root(_SERVED, delegate="delegate: {routeTables: [{name: child}], sortMethod: 5}"), 0),
    ],
)
def test_delegating_route_that_cannot_be_read_is_the_cause(root: str, field: int) -> None:
    translation = _translated(_GATEWAY, root, _child())

    assert Approval.INVALID == _approval(translation, _ROOT)
    cause = Cause(_ROOT, ("spec", "http", field))
    assert [(ProblemKind.WARNING, Reason.NOT_SERVED, cause)] == _told(translation, _CHILD)


def test_route_whose_matchers_exclude_its_parents_is_the_cause() -> None:
    translation = _translated(_GATEWAY, _root(_SERVED), _child(prefix="/other"), _POLICIES)

    assert Approval.INVALID == _approval(translation, _CHILD)
    assert [(ProblemKind.WARNING, Reason.NO_ROUTES, Cause(_CHILD, ("spec", "http", 0)))] == _told(translation, _SHAPE)


def test_tables_that_delegate_in_a_circle_are_told_so_and_serve_nothing() -> None:
    translation = _translated(_child("delegate: {routeTables: [{labels: {team: a}}]}"))

    assert {Reason.NOT_SERVED, Reason.DELEGATION_LOOP} == {one.reason for one in _problems(translation, _CHILD)}
    assert Approval.INVALID == _approval(translation, _CHILD)


def test_gateway_that_cannot_be_read_is_the_cause_and_not_called_missing() -> None:
    translation = _translated(_GATEWAY.replace("number: 80", "number: x"), _root(_SERVED), _child())
    (problem,) = [one for one in _problems(translation, _ROOT) if one.field == (*_GATEWAYS, 0)]

    assert Cause(ObjectRef("VirtualGateway", "a", "gw")) == problem.cause
    assert "does not exist" not in problem.message


def test_table_served_by_its_other_root_is_not_unserved() -> None:
    other = _root(_SERVED).replace("name: root", "name: other")
    translation = _translated(_GATEWAY, _root(_ABSENT), other, _child(), _POLICIES)

    assert [] == _told(translation, _CHILD)
    assert [] == _told(translation, _SHAPE)


def test_one_name_of_a_cluster_is_a_note_and_two_are_a_warning() -> None:
    def approvals(first: str, second: str) -> set[Approval]:
        root = _root(f"hosts: ['*']\n  virtualGateways: [{{name: gw, cluster: {first}}}]")
        child = _child(f"forwardTo: {{destinations: [{{ref: {{name: x, cluster: {second}}}, port: {{number: 80}}}}]}}")
        translation = _translated(_GATEWAY, root, child)
        return {_approval(translation, _ROOT), _approval(translation, _CHILD)}

    assert {Approval.ACCEPTED} == approvals("one", "one")
    assert {Approval.WARNING} == approvals("one", "two")


def test_a_table_of_a_mesh_names_no_further_cluster() -> None:
    served = _root("hosts: ['*']\n  virtualGateways: [{name: gw, cluster: one}]")
    mesh = f"""
{_API}
kind: RouteTable
metadata: {{name: mesh, namespace: a}}
spec:
  hosts: [x.a.svc.cluster.local]
  workloadSelectors: [{{selector: {{labels: {{app: y}}}}}}]
  http: [{{name: r, forwardTo: {{destinations: [{{ref: {{name: x, cluster: two}}, port: {{number: 80}}}}]}}}}]
---
"""
    assert Approval.ACCEPTED == _approval(_translated(_GATEWAY, served, _child(), mesh), _ROOT)


def test_what_is_told_follows_a_gateway_that_comes_and_goes() -> None:
    """With a memory of what was, and without, the verdicts are the same."""
    cluster, memo = Cluster().apply_yaml(_root(_SERVED) + _child() + _POLICIES), Memo()
    for text in ("", _GATEWAY, _root(_MESH), _child(prefix="/other") + _root(_SERVED), _GATEWAY, _root(_ABSENT)):
        snapshot = cluster.apply_yaml(text).snapshot()
        remembered = translate(snapshot, Settings(), memo=memo)
        assert translate(snapshot, Settings()).statuses == remembered.statuses
    snapshot = cluster.delete(ObjectRef("VirtualGateway", "a", "gw")).snapshot()
    assert translate(snapshot, Settings()).statuses == translate(snapshot, Settings(), memo=memo).statuses


def test_table_below_one_that_nobody_delegates_to_points_there() -> None:
    above = _root("weight: 1").replace("name: root", "name: z-orphan")
    translation = _translated(above, _child())
    orphan = ObjectRef("RouteTable", "a", "z-orphan")

    assert [(ProblemKind.WARNING, Reason.NOT_SERVED, Cause(orphan, ("spec", "hosts")))] == _told(translation, _CHILD)
    assert [(ProblemKind.WARNING, Reason.NOT_SERVED, None)] == _told(translation, orphan)


def test_endpoints_that_are_all_bad_are_the_cause_of_a_closed_route() -> None:
    endpoint = f"""
{_API}
kind: ExternalEndpoint
metadata: {{name: e, namespace: a, labels: {{for: llm}}}}
spec: {{address: 'not an address', ports: [{{name: http, number: 80}}]}}
---
{_API}
kind: ExternalService
metadata: {{name: llm, namespace: a}}
spec: {{hosts: [llm.example.com], selector: {{for: llm}}, ports: [{{name: http, number: 80, protocol: HTTP}}]}}
---
"""
    route = "forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: llm}, port: {number: 80}}]}"
    translation = _translated(_GATEWAY, _root(_SERVED), _child(route), endpoint)
    bad = Cause(ObjectRef("ExternalEndpoint", "a", "e"))

    assert [(ProblemKind.ERROR, Reason.INVALID, bad)] == _told(translation, _CHILD)


def test_table_that_is_named_and_does_not_exist_is_the_cause() -> None:
    translation = _translated(_GATEWAY, _root(_SERVED, delegate="delegate: {routeTables: [{name: gone}]}"))

    assert [(ProblemKind.ERROR, Reason.REF_NOT_FOUND, Cause(ObjectRef("RouteTable", "a", "gone")))] == _told(
        translation, _ROOT
    )
