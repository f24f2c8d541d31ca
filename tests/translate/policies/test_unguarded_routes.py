"""The owner of an open route is told where a label is nearly one that a policy selects; other open routes are meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from tests.translate.tenants import ISOLATED
from wardgate.problems import ObjectRef, Reason
from wardgate.settings import Settings
from wardgate.translate import translate

_APIS = {
    "ExtAuthPolicy": "security.policy.gloo.solo.io/v2",
    "TransformationPolicy": "trafficcontrol.policy.gloo.solo.io/v2",
}
_AUTH = {"glooAuth": {"configs": [{"apiKeyAuth": {"labelSelector": {"team": "a"}}}]}}


def _object(kind: str, name: str, spec: object, *, namespace: str = "infra") -> dict[str, Any]:
    version = _APIS.get(kind, "networking.gloo.solo.io/v2")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _policy(labels: dict[str, str], *, kind: str = "ExtAuthPolicy", namespace: str = "infra") -> dict[str, Any]:
    config = _AUTH if kind == "ExtAuthPolicy" else {"request": {"injaTemplate": {"headers": {"x-a": {"text": "a"}}}}}
    spec = {"applyToRoutes": [{"route": {"labels": labels}}], "config": config}
    return _object(kind, f"{kind.lower()}-{len(labels)}-{'-'.join(labels.values())}", spec, namespace=namespace)


def _told(
    labels: dict[str, str], *policies: dict[str, Any], namespace: str = "infra", settings: Settings | None = None
) -> list[str]:
    """The messages of this reason about a table with one route of these labels."""
    cluster = Cluster()
    allowed = [{"host": "*", "selector": {"namespace": namespace}}]
    listeners = [{"http": {}, "port": {"number": 80}, "allowedRouteTables": allowed}]
    cluster.apply(_object("VirtualGateway", "gw", {"listeners": listeners}))
    route = {"name": "r", "labels": labels, "directResponse": {"status": 200}}
    table = {"hosts": ["*"], "virtualGateways": [{"name": "gw", "namespace": "infra"}], "http": [route]}
    cluster.apply(_object("RouteTable", "web", table, namespace=namespace))
    for policy in policies:
        cluster.apply(policy)
    status = translate(cluster.snapshot(), settings or Settings()).statuses.of(
        ObjectRef("RouteTable", namespace, "web")
    )
    assert status is not None
    return [one.message for one in status.problems if one.reason is Reason.UNGUARDED]


@pytest.mark.parametrize("label", [{"guard": "kyes"}, {"guard": "KEYS"}, {"gaurd": "keys"}, {"Guard": "keys"}])
def test_label_that_is_nearly_a_policy_s_is_told(label: dict[str, str]) -> None:
    (message,) = _told(label, _policy({"guard": "keys"}))

    ((name, value),) = label.items()
    assert (
        f'Route "r" of RouteTable infra/web is open: no ExtAuthPolicy selects it. No policy selects its label {name}='
        f"{value}, and ExtAuthPolicy infra/extauthpolicy-1-keys selects guard=keys. Correct the label, or remove it if "
        "the route is meant to be open."
    ) == message


@pytest.mark.parametrize(
    "labels", [{}, {"app": "web"}, {"guard": "none"}, {"guard": "keys"}, {"guard": "kyes", "also": "keys"}]
)
def test_guarded_route_and_route_that_is_meant_to_be_open_are_not_told(labels: dict[str, str]) -> None:
    assert [] == _told(labels, _policy({"guard": "keys"}), _policy({"also": "keys"}))


def test_label_that_another_policy_selects_is_no_mistake() -> None:
    assert [] == _told(
        {"guard": "kyes"}, _policy({"guard": "keys"}), _policy({"guard": "kyes"}, kind="TransformationPolicy")
    )


def test_closed_route_is_not_called_open() -> None:
    (message,) = _told({"guard": "kyes"}, _policy({"guard": "keys"}), settings=Settings(require_auth=True))

    assert "closed (401)" in message


def test_tenant_is_told_no_label_of_another_owner() -> None:
    (of_platform,) = _told({"guard": "kyes"}, _policy({"guard": "keys"}), namespace="apps", settings=ISOLATED)
    of_other = _told(
        {"guard": "kyes"}, _policy({"guard": "keys"}, namespace="others"), namespace="apps", settings=ISOLATED
    )

    assert "the platform selects nearly the same" in of_platform
    assert "guard=keys" not in of_platform
    assert [] == of_other
