"""Absent, null and empty stay apart wherever they mean different things, and nothing is filled in."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.api.manifests import (
    api_key_policy,
    errors_of,
    external_service,
    gateway,
    manifest,
    model_of,
    request_template,
    route_table,
)
from wardgate.api import (
    ApiKeyAuth,
    ExtAuthPolicy,
    ExternalService,
    RouteTable,
    TransformationPolicy,
    TransformationTemplate,
    VirtualGateway,
)

_ANSWER = {"directResponse": {"status": 200}}


def _template(fields: dict[str, object]) -> TransformationTemplate:
    request = model_of(request_template(fields), TransformationPolicy).spec.config.request
    assert request is not None
    assert request.inja_template is not None
    return request.inja_template


def _api_key_auth(fields: dict[str, object]) -> ApiKeyAuth:
    gloo_auth = model_of(api_key_policy(fields), ExtAuthPolicy).spec.config.gloo_auth
    assert gloo_auth is not None
    assert gloo_auth.configs[0].api_key_auth is not None
    return gloo_auth.configs[0].api_key_auth


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({}, None),
        ({"parseBodyBehavior": None}, None),
        ({"parseBodyBehavior": "ParseAsJson"}, "ParseAsJson"),
        ({"parseBodyBehavior": "DontParse"}, "DontParse"),
    ],
)
def test_parse_body_behavior_is_never_filled_in(fields: dict[str, object], value: str | None) -> None:
    assert value == _template(fields).parse_body_behavior


@pytest.mark.parametrize(
    ("fields", "is_present"), [({}, False), ({"passthrough": None}, False), ({"passthrough": {}}, True)]
)
def test_empty_marker_is_present(fields: dict[str, object], *, is_present: bool) -> None:
    assert is_present == (_template(fields).passthrough is not None)


@pytest.mark.parametrize(
    ("fields", "length"), [({}, None), ({"workloads": None}, None), ({"workloads": []}, 0), ({"workloads": [{}]}, 1)]
)
def test_absent_workloads_differ_from_no_workloads(fields: dict[str, object], length: int | None) -> None:
    given = manifest("VirtualGateway", {"listeners": [{"port": {"number": 80}}], **fields})

    workloads = model_of(given, VirtualGateway).spec.workloads

    assert length == (None if workloads is None else len(workloads))


@pytest.mark.parametrize(("fields", "is_present"), [({}, False), ({"selector": None}, False), ({"selector": {}}, True)])
def test_absent_selector_differs_from_an_empty_one(fields: dict[str, object], *, is_present: bool) -> None:
    given = gateway({"allowedRouteTables": [{"host": "*", **fields}]})

    allowed = model_of(given, VirtualGateway).spec.listeners[0].allowed_route_tables

    assert allowed is not None
    assert is_present == (allowed[0].selector is not None)


@pytest.mark.parametrize(
    ("fields", "length"), [({}, None), ({"allowedRouteTables": None}, None), ({"allowedRouteTables": []}, 0)]
)
def test_absent_route_tables_differ_from_none_allowed(fields: dict[str, object], length: int | None) -> None:
    allowed = model_of(gateway(fields), VirtualGateway).spec.listeners[0].allowed_route_tables

    assert length == (None if allowed is None else len(allowed))


@pytest.mark.parametrize(
    ("fields", "is_present"), [({}, False), ({"workloadSelectors": None}, False), ({"workloadSelectors": []}, True)]
)
def test_absent_workload_selectors_differ_from_none(fields: dict[str, object], *, is_present: bool) -> None:
    table = model_of(route_table(_ANSWER, **fields), RouteTable)

    assert is_present == (table.spec.workload_selectors is not None)


@pytest.mark.parametrize(
    ("port", "speaks_tls"),
    [
        ({"number": 443}, False),
        ({"number": 443, "clientsideTls": None}, False),
        ({"number": 443, "clientsideTls": {}}, True),
    ],
)
def test_empty_clientside_tls_means_tls(port: dict[str, object], *, speaks_tls: bool) -> None:
    service = model_of(external_service(hosts=["a.example"], ports=[port]), ExternalService)

    assert speaks_tls == (service.spec.ports[0].clientside_tls is not None)


@pytest.mark.parametrize("fields", [{}, {"selector": None}])
def test_absent_endpoint_selector_is_none(fields: dict[str, object]) -> None:
    assert model_of(external_service(hosts=["a.example"], **fields), ExternalService).spec.selector is None


def test_empty_endpoint_selector_is_empty() -> None:
    assert model_of(external_service(hosts=["a.example"], selector={}), ExternalService).spec.selector == {}


@pytest.mark.parametrize(
    ("fields", "selector", "has_storage"),
    [
        ({}, None, False),
        ({"labelSelector": {}}, {}, False),
        ({"labelSelector": None, "k8sSecretApikeyStorage": None}, None, False),
        ({"k8sSecretApikeyStorage": {}}, None, True),
    ],
)
def test_stores_of_keys_are_told_apart(
    fields: dict[str, object], selector: dict[str, str] | None, *, has_storage: bool
) -> None:
    api_key_auth = _api_key_auth(fields)

    assert selector == api_key_auth.label_selector
    assert has_storage == (api_key_auth.k8s_secret_apikey_storage is not None)


def test_null_counts_as_absent_as_it_does_for_the_api_server() -> None:
    api_key_auth = _api_key_auth(
        {"apiKeySecretRefs": None, "headersFromMetadataEntry": None, "skipMetadataValidation": None, "headerName": None}
    )

    assert ApiKeyAuth.model_validate({}) == api_key_auth


def test_null_text_is_an_absent_one() -> None:
    template = _template({"headers": {"x-a": {"text": None}}, "extractors": {"b": {"body": {}, "regex": None}}})

    assert (template.headers["x-a"].text, template.extractors["b"].regex) == ("", "")


def test_null_label_does_not_widen_a_selector() -> None:
    given = manifest("TransformationPolicy", {"config": {}, "applyToRoutes": [{"route": {"labels": {"route": None}}}]})

    assert [error.field for error in errors_of(given)] == [("spec", "applyToRoutes", 0, "route", "labels", "route")]


@pytest.mark.parametrize(
    ("phase", "name", "priority"),
    [
        ({}, "post", 0),
        ({"postAuthz": {"priority": 5}}, "post", 5),
        ({"preAuthz": {}}, "pre", 0),
        ({"preAuthz": {"priority": -3}}, "pre", -3),
    ],
)
def test_phase_is_after_authentication_unless_said_otherwise(
    phase: dict[str, object], name: str, priority: int
) -> None:
    policy = model_of(manifest("TransformationPolicy", {"config": {"phase": phase}}), TransformationPolicy)

    assert policy.spec.config.phase is not None
    assert (name, priority) == (policy.spec.config.phase.name, policy.spec.config.phase.priority)


def test_models_cannot_be_changed() -> None:
    template = _template({})

    with pytest.raises(ValidationError):
        template.ignore_error_on_parse = True  # type: ignore[misc]


@pytest.mark.parametrize("value", [None, "", 812, "2026-01-01T00:00:00Z", {"a": 1}])
def test_metadata_that_the_api_server_writes_says_nothing(value: object) -> None:
    given = route_table(_ANSWER)
    expected = model_of(given, RouteTable)
    given["metadata"] |= dict.fromkeys(("creationTimestamp", "uid", "generation", "resourceVersion"), value)

    assert expected == model_of(given, RouteTable)
