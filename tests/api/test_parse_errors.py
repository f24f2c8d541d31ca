"""What is wrong with a value is said with the object, the field and the remedy."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType

import pytest

from tests.api.lab import Manifest, lab_object
from tests.api.manifests import (
    api_key_policy,
    auth_policy,
    errors_of,
    external_service,
    gateway,
    manifest,
    messages_of,
    request_template,
    route_table,
)
from wardgate.api.reading.parse import MAX_REPORTED, Parsed, identify, parse_object
from wardgate.problems import ObjectRef, ProblemKind, Reason, format_path

_API_KEY = "spec.config.glooAuth.configs[0].apiKeyAuth"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            api_key_policy({"headerName": 5}),
            f"{_API_KEY}.headerName must be a text, but is a number; put it in quotes.",
        ),
        (
            api_key_policy({"labelSelector": {"tier": True}}),
            f"{_API_KEY}.labelSelector.tier must be a text, but is true or false; put it in quotes.",
        ),
        (
            api_key_policy({"headerName": ["api-key"]}),
            f"{_API_KEY}.headerName must be a text, but is a list; write one text.",
        ),
        (
            api_key_policy({"skipMetadataValidation": "true"}),
            f"{_API_KEY}.skipMetadataValidation must be true or false, but is a text; remove the quotes.",
        ),
        (
            api_key_policy({"skipMetadataValidation": "yes"}),
            f"{_API_KEY}.skipMetadataValidation must be true or false, but is a text; write true or false.",
        ),
        (
            api_key_policy({"apiKeySecretRefs": {"name": "x"}}),
            f'{_API_KEY}.apiKeySecretRefs must be a list, but is an object; begin each entry with "- ".',
        ),
        (
            api_key_policy({"apiKeySecretRefs": [None]}),
            f"{_API_KEY}.apiKeySecretRefs[0] must be an object, but is null; fill it in.",
        ),
        (
            api_key_policy({"headersFromMetadataEntry": {"x-api-key": {}}}),
            f"{_API_KEY}.headersFromMetadataEntry.x-api-key.name is missing; add it.",
        ),
        (
            api_key_policy({"headersFromMetadataEntry": ["x-api-key"]}),
            f"{_API_KEY}.headersFromMetadataEntry must be an object, but is a list; write an object.",
        ),
        (
            api_key_policy({"headersFromMetadataEntry": {"x-api-key": {"name": ""}}}),
            f"{_API_KEY}.headersFromMetadataEntry.x-api-key.name must not be empty; fill it in.",
        ),
        (
            api_key_policy({"headerName": "api key"}),
            f"{_API_KEY}.headerName must be the name of a header, without blanks; correct it.",
        ),
        (
            api_key_policy({"headerName": "k" * 257}),
            f"{_API_KEY}.headerName has more than 256 characters; shorten it.",
        ),
        (
            auth_policy(),
            "spec.config.glooAuth.configs must not be empty; fill it in.",
        ),
        (
            auth_policy(*({"apiKeyAuth": {}} for _ in range(65))),
            "spec.config.glooAuth.configs has more than 64 entries; split the object up.",
        ),
        (
            gateway({"port": {"number": "80"}}),
            "spec.listeners[0].port.number must be a number, but is a text; remove the quotes.",
        ),
        (
            gateway({"port": {"number": 80.5}}),
            "spec.listeners[0].port.number must be a number, but is a number with a fraction; write a number.",
        ),
        (
            gateway({"port": {"number": 0}}),
            "spec.listeners[0].port.number must be 1 at least; raise it.",
        ),
        (
            gateway({"port": {"number": 65536}}),
            "spec.listeners[0].port.number must be 65535 at most; lower it.",
        ),
        (
            gateway({"tls": {"mode": "SIMPEL"}}),
            (
                "spec.listeners[0].tls.mode must be one of PASSTHROUGH, SIMPLE, MUTUAL, AUTO_PASSTHROUGH, "
                "ISTIO_MUTUAL, not SIMPEL; did you mean SIMPLE?"
            ),
        ),
        (
            request_template({"parseBodyBehavior": "xml"}),
            (
                "spec.config.request.injaTemplate.parseBodyBehavior must be one of ParseAsJson, DontParse, not xml; "
                "write one of these."
            ),
        ),
        (
            request_template({"parseBodyBehavior": "dontparse"}),
            (
                "spec.config.request.injaTemplate.parseBodyBehavior must be one of ParseAsJson, DontParse, "
                "not dontparse; did you mean DontParse?"
            ),
        ),
        (
            request_template({"parseBodyBehavior": "x" * 500}),
            (
                "spec.config.request.injaTemplate.parseBodyBehavior must be one of ParseAsJson, DontParse; write "
                "one of these."
            ),
        ),
        (
            request_template({"parseBodyBehavior": False}),
            (
                "spec.config.request.injaTemplate.parseBodyBehavior must be one of ParseAsJson, DontParse; write "
                "one of these."
            ),
        ),
        (
            request_template({"parseBodyBehavior": []}),
            (
                "spec.config.request.injaTemplate.parseBodyBehavior must be one of ParseAsJson, DontParse; write "
                "one of these."
            ),
        ),
        (
            route_table({"directResponse": {"status": 200}}, hosts=["api.*.com"]),
            "spec.hosts[0] must be a host name such as api.openai.com, *.example.com or *; correct it.",
        ),
        (
            manifest("ExtAuthServer", {"requestTimeout": "2"}),
            'spec.requestTimeout must be a duration such as "2s", "500ms" or "1m30s"; correct it.',
        ),
        (
            manifest("ExtAuthPolicy", None),
            "spec must be an object, but is null; fill it in.",
        ),
        (
            external_service(hosts=["a.example"], ports=None),
            "spec.ports must not be empty; fill it in.",
        ),
    ],
)
def test_bad_value_is_refused_with_field_and_remedy(given: Manifest, message: str) -> None:
    errors = errors_of(given)

    assert [f"{given['kind']} team/one: {message}"] == [error.message for error in errors]
    assert message.startswith(format_path(errors[0].field))
    assert {Reason.INVALID} == {error.reason for error in errors}


def test_missing_spec_is_refused() -> None:
    given = lab_object("VirtualGateway", "ingress")
    del given["spec"]

    assert messages_of(given) == ["VirtualGateway gloo-mesh-gateways/ingress: spec is missing; add it."]


def test_every_mistake_is_reported_at_once() -> None:
    given = route_table(
        {"name": 1, "forwardTo": {"destinations": [{"ref": {"name": "x"}, "port": {"number": "80"}}]}},
        weight="heavy",
    )

    fields = [format_path(error.field) for error in errors_of(given)]

    assert fields == ["spec.http[0].name", "spec.http[0].forwardTo.destinations[0].port.number", "spec.weight"]


def test_list_with_only_wrong_entries_is_not_called_empty_as_well() -> None:
    given = manifest("VirtualGateway", {"listeners": [{"port": {"number": "80"}}]})

    assert [format_path(error.field) for error in errors_of(given)] == ["spec.listeners[0].port.number"]


def test_number_of_reported_mistakes_is_bounded() -> None:
    given = route_table(*({"labels": 5} for _ in range(200)))

    assert len(errors_of(given)) == MAX_REPORTED


def test_number_of_reported_broken_rules_is_bounded() -> None:
    given = route_table(*({} for _ in range(200)))

    assert len(errors_of(given)) == MAX_REPORTED


def test_values_are_not_repeated_in_messages() -> None:
    given = request_template({"headers": {"authorization": {"text": ["Bearer sk-1234567890"]}}})

    assert "sk-1234567890" not in " ".join(messages_of(given))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "metadata.name is missing; add it."),
        ({"name": ""}, "metadata.name must not be empty; fill it in."),
        (
            {"name": "Upper"},
            (
                "metadata.name must be a name of lower-case letters, digits, dots and hyphens that begins and ends "
                "with a letter or digit; correct it."
            ),
        ),
        (
            {"name": "one", "namespace": "a.b"},
            (
                "metadata.namespace must be a name of lower-case letters, digits and hyphens that begins and ends with "
                "a letter or digit; correct it."
            ),
        ),
        (
            {"name": "one", "labels": {"tier": 1}},
            "metadata.labels.tier must be a text, but is a number; put it in quotes.",
        ),
    ],
)
@pytest.mark.parametrize(("api_version", "kind"), [("v1", "Secret"), ("admin.gloo.solo.io/v2", "ExtAuthServer")])
def test_bad_metadata_is_refused(metadata: Manifest, message: str, api_version: str, kind: str) -> None:
    given = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}}
    if kind == "Secret":
        del given["spec"]

    errors = errors_of(given)

    assert len(errors) == 1
    assert errors[0].message.endswith(f": {message}")


def test_name_with_a_line_break_reaches_no_message() -> None:
    given = lab_object("ExtAuthPolicy", "products-apikey")
    given["metadata"]["name"] = "evil\nAccepted"

    assert all("\n" not in message for message in messages_of(given))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "apiVersion"),
        ({"kind": "Secret"}, "apiVersion"),
        ({"apiVersion": "v1"}, "kind"),
        ({"apiVersion": 1, "kind": "Secret"}, "apiVersion"),
    ],
)
def test_document_that_is_no_object_is_refused(given: Manifest, field: str) -> None:
    errors = errors_of(given)

    assert [error.reason for error in errors] == [Reason.UNREADABLE]
    assert (field,) == errors[0].field
    assert f"it has no {field}. Add apiVersion and kind" in errors[0].message


def test_object_of_another_group_is_left_alone() -> None:
    assert Parsed(None) == parse_object({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})


def test_unknown_kind_of_our_group_is_an_error_with_the_nearest_kind() -> None:
    given = manifest("ExtAuthPolicy", {}) | {"kind": "ExtAuthPolicies"}

    errors = errors_of(given)

    assert [error.reason for error in errors] == [Reason.UNKNOWN_KIND]
    assert errors[0].message == (
        "ExtAuthPolicies team/one has apiVersion security.policy.gloo.solo.io/v2. Wardgate knows no such kind: did you "
        "mean ExtAuthPolicy?"
    )


def test_workspace_has_no_effect_and_says_so() -> None:
    given = {"apiVersion": "admin.gloo.solo.io/v2", "kind": "Workspace", "metadata": {"name": "w"}, "spec": {}}

    parsed = parse_object(given)

    assert parsed.model is None
    assert [(one.kind, one.reason) for one in parsed.problems] == [(ProblemKind.WARNING, Reason.UNSUPPORTED)]
    assert "Workspace default/w has no effect" in parsed.problems[0].message


def test_date_of_yaml_is_refused_with_its_place() -> None:
    given = lab_object("Secret", "solo-admin")
    given["metadata"]["annotations"] = {"wardgate.dev/expires-at": dt.date(2030, 1, 1)}

    errors = errors_of(given)

    assert [error.reason for error in errors] == [Reason.UNREADABLE]
    assert errors[0].field == ("metadata", "annotations", "wardgate.dev/expires-at")
    assert "is of the YAML type date, which an object cannot hold; put it in quotes." in errors[0].message


def test_read_only_manifest_is_read() -> None:
    given = MappingProxyType(lab_object("ExtAuthPolicy", "products-apikey"))

    assert parse_object(given).model is not None


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ({}, ObjectRef("?", "default", "?")),
        ({"kind": "Secret", "metadata": []}, ObjectRef("Secret", "default", "?")),
        ({"kind": "Secret", "metadata": {"name": "a", "namespace": ""}}, ObjectRef("Secret", "default", "a")),
        ({"kind": "Secret", "metadata": {"name": "a", "namespace": 7}}, ObjectRef("Secret", "?", "a")),
    ],
)
def test_object_is_identified_as_far_as_it_says(given: Manifest, ref: ObjectRef) -> None:
    assert ref == identify(given)
