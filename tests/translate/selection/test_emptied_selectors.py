"""A policy whose selector lost its last member opens no route, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster, documents
from wardgate.ir import Refuse
from wardgate.problems import ObjectRef, ProblemKind
from wardgate.settings import Settings
from wardgate.translate import Translation, translate

_GUARD = ObjectRef("ExtAuthPolicy", "gw", "keys")
_BASE = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gw, namespace: gw}
spec: {listeners: [{http: {}, port: {number: 8081}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: llm, namespace: gw}
spec: {hosts: [llm.example.com], ports: [{number: 80}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: rt, namespace: gw}
spec:
  hosts: ['*']
  virtualGateways: [{name: gw}]
  http:
  - name: llm
    labels: {route: llm}
    matchers: [{uri: {prefix: /llm}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: llm}, port: {number: 80}}]}
  - name: other
    labels: {route: other}
    matchers: [{uri: {prefix: /other}}]
    directResponse: {status: 200}
"""
_CONFIG = {"glooAuth": {"configs": [{"apiKeyAuth": {"k8sSecretApikeyStorage": {"labelSelector": {"keys": "llm"}}}}]}}
_GUARDED, _CLOSED, _OPEN = "guarded", "closed", "open"


def _policy(name: str = "keys", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": name, "namespace": "gw"},
        "spec": {**spec, "config": _CONFIG},
    }


def _translated(*policies: dict[str, Any], settings: Settings | None = None) -> Translation:
    cluster = Cluster().apply(*documents(_BASE), *policies)
    return translate(cluster.snapshot(), settings or Settings())


def _doors(translation: Translation) -> dict[str, str]:
    """By the names of the routes."""
    (listener,) = translation.config.listeners
    (host,) = listener.virtual_hosts
    return {
        route.name.removeprefix("gw/rt/").partition("@")[0]: _CLOSED
        if isinstance(route.action, Refuse)
        else _GUARDED
        if route.auth
        else _OPEN
        for route in host.routes
    }


def _errors(translation: Translation) -> str:
    return " ".join(one.message for one in translation.statuses.problems if one.kind is ProblemKind.ERROR)


@pytest.mark.parametrize("entry", [{"route": None}, {}, None, {"withDestinations": None}], ids=str)
def test_emptied_selector_closes_what_nobody_else_guards(entry: object) -> None:
    other = _policy("other", applyToRoutes=[{"route": {"labels": {"route": "other"}}}])
    translation = _translated(_policy(applyToRoutes=[entry]), other)
    assert {"llm": _CLOSED, "other": _GUARDED} == _doors(translation)
    assert (
        "ExtAuthPolicy gw/keys has a selector with nothing in it (1), which may mean every route, so every route that "
        "no other ExtAuthPolicy guards is closed. Write the labels"
    ) in _errors(translation)


@pytest.mark.parametrize("selectors", ["x", 5, [5], [{"route": 5}], [{"route": {"labels": ["a"]}}]], ids=str)
def test_selector_of_another_shape_closes_what_nobody_else_guards(selectors: object) -> None:
    other = _policy("other", applyToRoutes=[{"route": {"labels": {"route": "other"}}}])
    translation = _translated(_policy(applyToRoutes=selectors), other)
    assert {"llm": _CLOSED, "other": _GUARDED} == _doors(translation)
    assert (
        "ExtAuthPolicy gw/keys has selectors that cannot be read (1). Nobody can tell which routes they mean, so every "
        "route that no other ExtAuthPolicy guards is closed. Correct them."
    ) in _errors(translation)


@pytest.mark.parametrize("entry", [{"route": None}, {"route": 5}], ids=str)
def test_last_good_form_tells_what_is_guarded_whatever_the_new_selector_is(entry: object) -> None:
    named = _policy(applyToRoutes=[{"route": {"labels": {"route": "llm"}}}])
    cluster = Cluster().apply(*documents(_BASE), named)
    first = translate(cluster.snapshot(), Settings())
    cluster.apply(_policy(applyToRoutes=[entry]))
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert {"llm": _GUARDED, "other": _OPEN} == _doors(second)


@pytest.mark.parametrize("labels", [{"route": None}, {"route": None, "x": "1"}], ids=str)
def test_label_without_a_value_closes_what_nobody_else_guards(labels: object) -> None:
    translation = _translated(_policy(applyToRoutes=[{"route": {"labels": labels}}]))
    assert {"llm": _CLOSED, "other": _CLOSED} == _doors(translation)


def test_policy_without_a_spec_closes_what_nobody_else_guards() -> None:
    assert {"llm": _CLOSED, "other": _CLOSED} == _doors(_translated({**_policy(), "spec": None}))


@pytest.mark.parametrize(
    "spec", [{}, {"applyToRoutes": None}, {"applyToRoutes": [], "applyToDestinations": []}], ids=str
)
def test_policy_without_selectors_guards_every_route_that_forwards(spec: dict[str, Any]) -> None:
    assert {"llm": _GUARDED, "other": _OPEN} == _doors(_translated(_policy(**spec)))


def test_policy_without_selectors_leaves_external_routes_to_a_younger_policy_that_names_them() -> None:
    named = _policy("named", applyToRoutes=[{"route": {"labels": {"route": "llm"}}}])
    translation = _translated(_policy("all"), named)
    (listener,) = translation.config.listeners
    assert {"gw/named"} == {route.auth for route in listener.virtual_hosts[0].routes if route.auth}
    assert not [one for one in translation.statuses.problems if one.kind is ProblemKind.CONFLICT]


def test_last_good_form_goes_on_guarding_what_it_did_and_closes_nothing_more() -> None:
    cluster = Cluster().apply(*documents(_BASE), _policy(applyToRoutes=[{"route": {"labels": {"route": "llm"}}}]))
    first = translate(cluster.snapshot(), Settings())
    cluster.apply(_policy(applyToRoutes=[{"route": None}]))
    second = translate(cluster.snapshot(), Settings(), last_good=first.last_good)
    assert {"llm": _GUARDED, "other": _OPEN} == _doors(second)
    assert "; its last good form guards what it did. Write the labels" in _errors(second)


def test_bad_policy_without_selectors_closes_every_route_that_forwards() -> None:
    bad = _policy()
    bad["spec"]["config"] = {"glooAuth": {"configs": [{"ldap": {"address": "x"}}]}}
    assert {"llm": _CLOSED, "other": _OPEN} == _doors(_translated(bad))


def test_tenants_emptied_selector_closes_no_route_of_others() -> None:
    tenant = _policy(applyToRoutes=[{"route": None}])
    tenant["metadata"]["namespace"] = "team"
    settings = Settings(tenancy="isolated", platform_namespaces=frozenset({"gw"}))
    assert {"llm": _OPEN, "other": _OPEN} == _doors(_translated(tenant, settings=settings))


def test_transformation_with_an_emptied_selector_closes_nothing_and_says_so() -> None:
    policy = {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": "t", "namespace": "gw"},
        "spec": {"applyToRoutes": [{"route": None}], "config": {"request": {"injaTemplate": {}}}},
    }
    translation = _translated(policy)
    assert {"llm": _OPEN, "other": _OPEN} == _doors(translation)
    assert "may mean every route; no route is closed for its sake." in _errors(translation)
