"""The workshop's objects are read as they are, without a word of complaint."""

from __future__ import annotations

import pytest

from tests.api.lab import LAB, Manifest, lab_object
from tests.api.manifests import model_of
from wardgate.api import (
    KINDS,
    ExtAuthPolicy,
    ExtAuthServer,
    ExternalEndpoint,
    ExternalService,
    KeySecret,
    RouteTable,
    TransformationPolicy,
    VirtualGateway,
    parse_object,
)
from wardgate.api.kinds.matchers import StringMatch
from wardgate.problems import ObjectRef


@pytest.mark.parametrize("given", LAB, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_lab_object_is_read_without_problems(given: Manifest) -> None:
    parsed = parse_object(given)

    assert parsed.problems == ()
    assert parsed.model is not None
    assert parsed.model.ref == ObjectRef(
        given["kind"], given["metadata"].get("namespace", "default"), given["metadata"]["name"]
    )


def test_policy_of_lab_6_selects_keys_through_the_storage() -> None:
    policy = model_of(lab_object("ExtAuthPolicy", "huggingface-apikey"), ExtAuthPolicy)

    gloo_auth = policy.spec.config.gloo_auth
    assert gloo_auth is not None
    step = gloo_auth.configs[0]
    assert step.module == "api_key_auth"
    assert step.api_key_auth is not None
    storage = step.api_key_auth.k8s_secret_apikey_storage
    assert step.api_key_auth.header_name == "api-key"
    assert storage is not None
    assert storage.label_selector == {"api-key": "api-huggingface"}
    assert step.api_key_auth.label_selector is None


def test_policy_of_lab_5_selects_keys_in_the_flat_spelling() -> None:
    policy = model_of(lab_object("ExtAuthPolicy", "products-apikey"), ExtAuthPolicy)

    assert policy.spec.config.gloo_auth is not None
    api_key_auth = policy.spec.config.gloo_auth.configs[0].api_key_auth
    assert api_key_auth is not None
    assert api_key_auth.label_selector == {"api-keyset": "httpbin-users"}
    assert api_key_auth.k8s_secret_apikey_storage is None


def test_patch_of_step_6_adds_a_header_from_the_secret() -> None:
    given = lab_object("ExtAuthPolicy", "huggingface-apikey")
    patched = given["spec"]["config"]["glooAuth"]["configs"][0]["apiKeyAuth"]
    patched["headersFromMetadataEntry"] = {"x-api-key": {"name": "huggingface-api-key"}}

    policy = model_of(given, ExtAuthPolicy)

    assert policy.spec.config.gloo_auth is not None
    api_key_auth = policy.spec.config.gloo_auth.configs[0].api_key_auth
    assert api_key_auth is not None
    entry = api_key_auth.headers_from_metadata_entry["x-api-key"]
    assert (entry.name, entry.required) == ("huggingface-api-key", False)


def test_key_secret_of_lab_6_lies_in_the_default_namespace() -> None:
    secret = model_of(lab_object("Secret", "api-huggingface-key"), KeySecret)

    assert {name: value.reveal() for name, value in secret.data.items()} == {"api-key": "mysecretkey"}
    assert secret.metadata.namespace == "default"
    assert secret.metadata.labels == {"api-key": "api-huggingface"}


def test_transformation_of_lab_6_runs_after_authentication() -> None:
    policy = model_of(lab_object("TransformationPolicy", "huggingface-transformations"), TransformationPolicy)

    request = policy.spec.config.request
    assert policy.spec.config.phase is None
    assert request is not None
    assert request.inja_template is not None
    assert request.inja_template.headers["Authorization"].text == "Bearer {{ huggingface-api-key }}"
    assert request.inja_template.extractors["huggingface-api-key"].header == "x-api-key"


def test_route_of_lab_4_rewrites_path_and_host() -> None:
    table = model_of(lab_object("RouteTable", "direct-to-huggingface-routetable"), RouteTable)

    route = table.spec.http[0]
    assert route.matchers[0].uri == StringMatch.model_validate({"prefix": "/huggingface"})
    assert route.forward_to is not None
    destination = route.forward_to.destinations[0]
    assert destination.kind == "EXTERNAL_SERVICE"
    assert destination.ref is not None
    assert destination.ref.namespace is None
    assert route.forward_to.path_rewrite == "/models/openai-community/gpt2"


def test_gateway_of_lab_4_listens_on_8081() -> None:
    virtual_gateway = model_of(lab_object("VirtualGateway", "ai-ingress-gw"), VirtualGateway)

    assert virtual_gateway.spec.listeners[0].port.number == 8081


def test_external_service_of_lab_4_speaks_tls() -> None:
    service = model_of(lab_object("ExternalService", "huggingface-api"), ExternalService)

    assert service.spec.ports[0].clientside_tls is not None


def test_auth_server_of_lab_5_is_read() -> None:
    server = model_of(lab_object("ExtAuthServer", "ext-auth-server"), ExtAuthServer)

    assert server.spec.destination_server is not None
    assert server.spec.destination_server.port is not None
    assert server.spec.destination_server.port.name == "grpc"


def test_external_endpoint_is_read() -> None:
    spec = {"address": "10.0.0.7", "ports": [{"name": "https", "number": 8443}], "locality": {"region": "eu"}}
    given = {
        "apiVersion": KINDS["ExternalEndpoint"].api_version,
        "kind": "ExternalEndpoint",
        "metadata": {"name": "one", "labels": {"app": "provider"}},
        "spec": spec,
    }

    endpoint = model_of(given, ExternalEndpoint)

    assert (endpoint.spec.address, endpoint.spec.ports[0].number) == ("10.0.0.7", 8443)
