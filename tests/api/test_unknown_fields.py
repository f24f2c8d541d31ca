"""A field that no model knows is a warning with the nearest name; the object is served without it."""

from __future__ import annotations

import pytest

from tests.api.lab import Manifest, lab_object
from tests.api.manifests import api_key_policy, auth_policy, manifest, messages_of, request_template, route_table
from wardgate.api.reading.parse import MAX_REPORTED, parse_object
from wardgate.problems import FieldPath, ProblemKind, Reason

_STEP = ("spec", "config", "glooAuth", "configs", 0)
_ANSWER = {"directResponse": {"status": 200}}


@pytest.mark.parametrize(
    ("given", "path", "remedy"),
    [
        (api_key_policy({"headrName": "x"}), (*_STEP, "apiKeyAuth", "headrName"), "Did you mean headerName?"),
        (api_key_policy({"header_name": "x"}), (*_STEP, "apiKeyAuth", "header_name"), "Did you mean headerName?"),
        (api_key_policy({"headername": "x"}), (*_STEP, "apiKeyAuth", "headername"), "Did you mean headerName?"),
        (
            api_key_policy({"headersFromMetadataEntry": {"x-a": {"name": "n", "requird": True}}}),
            (*_STEP, "apiKeyAuth", "headersFromMetadataEntry", "x-a", "requird"),
            "Did you mean required?",
        ),
        (route_table({**_ANSWER, "zzz": 1}), ("spec", "http", 0, "zzz"), "Remove it."),
        (
            request_template({"extractor": {}}),
            ("spec", "config", "request", "injaTemplate", "extractor"),
            "extractors?",
        ),
        (manifest("ExtAuthServer", {}) | {"specs": {}}, ("specs",), "Did you mean spec?"),
        (lab_object("Secret", "solo-admin") | {"stringdata": {}}, ("stringdata",), "Did you mean stringData?"),
    ],
)
def test_unknown_field_is_a_warning_with_the_nearest_name(given: Manifest, path: FieldPath, remedy: str) -> None:
    parsed = parse_object(given)

    assert parsed.model is not None
    assert [(ProblemKind.WARNING, Reason.UNKNOWN_FIELD, path)] == [
        (problem.kind, problem.reason, problem.field) for problem in parsed.problems
    ]
    assert parsed.problems[0].message.endswith(remedy)
    assert "is not a field of this kind and has no effect." in parsed.problems[0].message


def test_unknown_field_of_metadata_is_reported() -> None:
    given = manifest("ExtAuthServer", {})
    given["metadata"]["lables"] = {}

    assert (messages_of(given)) == [
        "ExtAuthServer team/one: metadata.lables is not a field of this kind and has no effect. Did you mean labels?"
    ]


def test_fields_that_kubernetes_writes_are_known() -> None:
    given = manifest("ExtAuthServer", {}) | {"status": {"anything": 1}}
    given["metadata"] |= {"managedFields": [], "ownerReferences": [], "finalizers": [], "generateName": "one-"}

    assert messages_of(given) == []


def test_fields_below_an_unsupported_module_are_kept_without_a_word() -> None:
    given = auth_policy({"oauth2": {"oidcAuthorizationCode": {"sessions": {}}, "other": 1}})

    assert messages_of(given) == []


def test_unknown_fields_are_reported_beside_errors() -> None:
    given = api_key_policy({"headerName": 5, "headrName": "x"})

    assert [problem.kind for problem in parse_object(given).problems] == [ProblemKind.ERROR, ProblemKind.WARNING]


@pytest.mark.parametrize("wrong", [5, "text", [], [5], {"http": 5}, {"http": {"a": 5}}, {"http": [5]}])
def test_search_passes_over_values_of_the_wrong_type(wrong: object) -> None:
    assert {ProblemKind.ERROR} == {problem.kind for problem in parse_object(manifest("RouteTable", wrong)).problems}


def test_search_passes_over_maps_of_the_wrong_type() -> None:
    given = request_template({"extractors": ["x"]})

    assert [problem.kind for problem in parse_object(given).problems] == [ProblemKind.ERROR]


def test_number_of_reported_fields_is_bounded() -> None:
    given = manifest("ExtAuthServer", {f"unknown{number}": 1 for number in range(200)})

    assert len(parse_object(given).problems) == MAX_REPORTED


def test_number_of_reported_fields_of_a_secret_is_bounded() -> None:
    given = lab_object("Secret", "solo-admin") | {f"unknown{number}": 1 for number in range(200)}

    assert len(parse_object(given).problems) == MAX_REPORTED
