"""Destinations that lead elsewhere than they seem to: a kind left out, a port whose name nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.ir import Forward, Refuse
from wardgate.problems import Problem, ProblemKind
from wardgate.settings import Settings
from wardgate.translate import Translation, translate

_NET = "networking.gloo.solo.io/v2"
_LABELS = {"backend": "llm"}


def _object(kind: str, name: str, spec: object, *, namespace: str = "gw", **metadata: object) -> dict[str, Any]:
    place = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": _NET, "kind": kind, "metadata": place, "spec": spec}


def _gateway(destination: dict[str, Any]) -> list[dict[str, Any]]:
    route = {"name": "llm", "forwardTo": {"destinations": [destination]}}
    return [
        _object("VirtualGateway", "gw", {"listeners": [{"http": {}, "port": {"number": 80}}]}),
        _object("RouteTable", "rt", {"hosts": ["*"], "virtualGateways": [{"name": "gw"}], "http": [route]}),
    ]


def _service(*, namespace: str = "gw", **port: Any) -> dict[str, Any]:
    spec = {"hosts": ["llm.example.com"], "selector": _LABELS, "ports": [{"number": 443, **port}]}
    return _object("ExternalService", "llm", spec, namespace=namespace)


def _endpoint(*ports: dict[str, Any], address: str = "10.0.0.1", namespace: str = "gw") -> dict[str, Any]:
    spec = {"address": address, "ports": list(ports)}
    return _object("ExternalEndpoint", "one", spec, namespace=namespace, labels=_LABELS)


def _translated(*objects: dict[str, Any], settings: Settings | None = None) -> Translation:
    return translate(Cluster().apply(*objects).snapshot(), settings or Settings())


def _about(translation: Translation, kind: str) -> list[Problem]:
    return [one for one in translation.statuses.problems if one.ref.kind == kind]


_LLM = {"ref": {"name": "llm"}, "port": {"number": 80}}
_LEFT_OUT = (
    "spec.http[0].forwardTo.destinations[0] of RouteTable gw/rt has no kind, so that it names a Service, and there is "
    "an ExternalService of that name; write kind: EXTERNAL_SERVICE, or kind: SERVICE if the Service is meant."
)


def test_destination_without_a_kind_is_told_of_the_external_service() -> None:
    translation = _translated(*_gateway(_LLM), _service())
    (problem,) = _about(translation, "RouteTable")
    assert (ProblemKind.WARNING, _LEFT_OUT) == (problem.kind, problem.message)
    (listener,) = translation.config.listeners
    assert isinstance(listener.virtual_hosts[0].routes[0].action, Forward)


def test_destination_that_cannot_be_a_service_is_told_of_the_external_service_alone() -> None:
    translation = _translated(*_gateway({"ref": {"name": "llm"}}), _service())
    (problem,) = _about(translation, "RouteTable")
    assert (ProblemKind.ERROR, _LEFT_OUT) == (problem.kind, problem.message)
    (listener,) = translation.config.listeners
    assert isinstance(listener.virtual_hosts[0].routes[0].action, Refuse)


def test_default_destination_without_a_kind_is_told_as_well() -> None:
    gateway, table = _gateway(_LLM)
    table["spec"] |= {"defaultDestination": _LLM, "http": [{"name": "llm", "forwardTo": {}}]}
    (problem,) = _about(_translated(gateway, table, _service()), "RouteTable")
    assert problem.message.startswith("spec.defaultDestination of RouteTable gw/rt has no kind")


@pytest.mark.parametrize("kind", ["SERVICE", "EXTERNAL_SERVICE"])
def test_destination_with_a_kind_is_not_doubted(kind: str) -> None:
    destination = {**_LLM, "kind": kind, "port": {"number": 443}}
    assert [] == _about(_translated(*_gateway(destination), _service()), "RouteTable")


def test_service_that_is_known_is_not_doubted() -> None:
    known = {**_object("Service", "llm", {}), "apiVersion": "v1"}
    assert [] == _about(_translated(*_gateway(_LLM), _service(), known), "RouteTable")


def test_external_service_of_another_namespace_is_not_taken_for_it() -> None:
    assert [] == _about(_translated(*_gateway(_LLM), _service(namespace="other")), "RouteTable")


_TLS = 'is "tls", and no port of ExternalService gw/llm is called that'
_NEVER = ", so 8443 is never dialled; "


@pytest.mark.parametrize(
    ("service", "port", "told"),
    [
        (
            {"name": "https"},
            {"name": "tls", "number": 8443},
            f"{_TLS}{_NEVER}write the name of the service's port: https.",
        ),
        (
            {"name": "https", "targetPort": {"name": "backend"}},
            {"number": 8443},
            f"is missing{_NEVER}write the name of the service's port: backend or https.",
        ),
        ({}, {"name": "tls", "number": 8443}, f"{_TLS}{_NEVER}name the ports of both alike."),
    ],
)
def test_port_of_an_endpoint_that_no_service_knows_is_told(
    service: dict[str, Any], port: dict[str, Any], told: str
) -> None:
    (problem,) = _about(_translated(_service(**service), _endpoint(port)), "ExternalEndpoint")
    expected = f"spec.ports[0].name of ExternalEndpoint gw/one {told}"
    assert (ProblemKind.WARNING, expected) == (problem.kind, problem.message)


@pytest.mark.parametrize(
    "endpoint",
    [
        _endpoint({"name": "https", "number": 8443}),
        _endpoint({"name": "tls", "number": 443}),
        _endpoint({"number": 443}),
        _endpoint(),
    ],
)
def test_port_that_is_dialled_is_not_told(endpoint: dict[str, Any]) -> None:
    assert [] == _about(_translated(_service(name="https"), endpoint), "ExternalEndpoint")


def test_port_that_another_service_knows_is_not_told() -> None:
    two = [_service(name="https"), {**_service(name="tls"), "metadata": {"name": "two", "namespace": "gw"}}]
    assert [] == _about(_translated(*two, _endpoint({"name": "tls", "number": 8443})), "ExternalEndpoint")


def test_services_of_a_tenant_make_no_finding_on_an_endpoint_of_the_platform() -> None:
    settings = Settings(tenancy="isolated", platform_namespaces=frozenset({"gw"}))
    tenants = _service(namespace="team", name="https")
    endpoint = _endpoint({"name": "tls", "number": 8443})
    assert [] == _about(_translated(tenants, endpoint, settings=settings), "ExternalEndpoint")
    assert [] != _about(_translated(tenants, endpoint), "ExternalEndpoint")


_KEYS = {"glooAuth": {"configs": [{"apiKeyAuth": {"k8sSecretApikeyStorage": {"labelSelector": {"a": "b"}}}}]}}
_EXTERNAL = {"ref": {"name": "llm"}, "kind": "EXTERNAL_SERVICE"}


def _guard(target: dict[str, Any], field: str) -> dict[str, Any]:
    applied = {"applyToDestinations": [target]} if field else {"applyToRoutes": [{"withDestinations": target}]}
    policy = _object("ExtAuthPolicy", "keys", {**applied, "config": _KEYS})
    return {**policy, "apiVersion": "security.policy.gloo.solo.io/v2"}


@pytest.mark.parametrize("field", ["applyToDestinations", ""])
@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"selector": {"name": "llm"}}, True),
        ({"selector": {"name": "llm"}, "kind": "EXTERNAL_SERVICE"}, False),
        ({"selector": {"name": "none"}}, False),
    ],
)
def test_selector_of_services_that_only_external_services_are_like_is_told(
    target: dict[str, Any], field: str, *, told: bool
) -> None:
    translation = _translated(*_gateway(_EXTERNAL), _service(), _guard(target, field))
    messages = [one.message for one in _about(translation, "ExtAuthPolicy")]
    assert told is any("Write kind: EXTERNAL_SERVICE in the selector." in one for one in messages)
