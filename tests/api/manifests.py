"""Short manifests for one question each, and short ways to ask it."""

from __future__ import annotations

from typing import Any, TypeVar

from tests.api.lab import Manifest
from wardgate.api.kinds.registry import KINDS
from wardgate.api.reading.parse import parse_object
from wardgate.problems import Problem, ProblemKind

ModelT = TypeVar("ModelT")


def manifest(kind: str, spec: object) -> Manifest:
    """An object of a kind with this spec."""
    metadata = {"name": "one", "namespace": "team"}
    return {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": metadata, "spec": spec}


def api_key_policy(api_key_auth: object) -> Manifest:
    """An ExtAuthPolicy with one step."""
    return auth_policy({"apiKeyAuth": api_key_auth})


def auth_policy(*steps: object) -> Manifest:
    """An ExtAuthPolicy with these steps."""
    return manifest("ExtAuthPolicy", {"config": {"glooAuth": {"configs": list(steps)}}})


def request_template(template: object) -> Manifest:
    """A TransformationPolicy that rewrites requests."""
    return manifest("TransformationPolicy", {"config": {"request": {"injaTemplate": template}}})


def route_table(*routes: object, **spec: object) -> Manifest:
    """A RouteTable with these HTTP routes."""
    return manifest("RouteTable", {"http": list(routes), **spec})


def gateway(listener: dict[str, Any]) -> Manifest:
    """A VirtualGateway with one listener."""
    return manifest("VirtualGateway", {"listeners": [{"port": {"number": 80}, **listener}]})


def external_service(**spec: object) -> Manifest:
    """An ExternalService; a port is given unless ``spec`` says otherwise."""
    return manifest("ExternalService", {"ports": [{"number": 443}], **spec})


def model_of(given: Manifest, model: type[ModelT]) -> ModelT:
    """The model of a manifest that is right."""
    parsed = parse_object(given)
    assert parsed.problems == ()
    assert isinstance(parsed.model, model)
    return parsed.model


def errors_of(given: Manifest) -> list[Problem]:
    """The errors of a manifest that is wrong; there is no model then."""
    parsed = parse_object(given)
    errors = [problem for problem in parsed.problems if problem.kind is ProblemKind.ERROR]
    assert (parsed.model is None) == bool(errors)
    return errors


def messages_of(given: Manifest) -> list[str]:
    """All messages about a manifest."""
    return [problem.message for problem in parse_object(given).problems]
