"""Secrets are decoded once; what they hold is in no representation, no message and no error."""

from __future__ import annotations

from tests.api.lab import Manifest, lab_object
from tests.api.manifests import errors_of, messages_of, model_of
from wardgate.api import KeySecret, PlainSecret, Secret, parse_object
from wardgate.problems import ProblemKind, Reason


def _secret(**fields: object) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one", "namespace": "team"}, **fields}


def _key_secret(**fields: object) -> Manifest:
    return _secret(type="extauth.solo.io/apikey", **fields)


def _revealed(secret: Secret) -> dict[str, str]:
    return {name: value.reveal() for name, value in secret.data.items()}


def test_key_and_further_entries_are_read() -> None:
    secret = model_of(_key_secret(stringData={"api-key": "k", "provider-token": "t"}), KeySecret)

    assert _revealed(secret) == {"api-key": "k", "provider-token": "t"}


def test_key_secret_without_a_key_is_read() -> None:
    assert _revealed(model_of(_key_secret(), KeySecret)) == {}


def test_string_data_wins_over_data() -> None:
    secret = model_of(_key_secret(data={"api-key": "b2xk"}, stringData={"api-key": "new"}), KeySecret)

    assert _revealed(secret) == {"api-key": "new"}


def test_line_breaks_within_base64_are_ignored_as_kubernetes_does() -> None:
    secret = model_of(_key_secret(data={"api-key": "bXlzZWNy\r\nZXRrZXk=\n"}), KeySecret)

    assert _revealed(secret) == {"api-key": "mysecretkey"}


def test_bytes_that_are_no_text_survive() -> None:
    secret = model_of(_secret(data={"blob": "/wA="}), PlainSecret)

    assert secret.data["blob"].reveal().encode("utf-8", "surrogateescape") == b"\xff\x00"


def test_null_entries_are_empty() -> None:
    secret = model_of(_secret(data={"a": None}, stringData={"b": None}), PlainSecret)

    assert _revealed(secret) == {"a": "", "b": ""}


def test_null_data_is_none() -> None:
    assert dict(model_of(_secret(data=None, stringData=None, type=None), PlainSecret).data) == {}


def test_bad_base64_names_the_entry_and_not_the_value() -> None:
    errors = errors_of(_key_secret(data={"api-key": "not*base64", "other": "b2s="}))

    assert [error.reason for error in errors] == [Reason.BAD_SECRET]
    assert errors[0].field == ("data", "api-key")
    assert errors[0].message == (
        "Secret team/one: data.api-key is not base64; let kubectl create secret generic --from-literal encode it, or "
        "write it under stringData as it is."
    )


def test_base64_beyond_ascii_is_refused() -> None:
    assert [error.field for error in errors_of(_key_secret(data={"api-key": "schlüssel"}))] == [("data", "api-key")]


def test_entry_that_is_no_text_is_refused_without_its_value() -> None:
    errors = errors_of(_key_secret(stringData={"api-key": 123456789}))

    assert errors[0].message == "Secret team/one: stringData.api-key must be a text; put it in quotes."


def test_data_that_is_no_map_is_refused() -> None:
    errors = errors_of(_key_secret(data=["c2VjcmV0"]))

    assert errors[0].message == "Secret team/one: data must be an object with one field for each entry; correct it."


def test_bad_entry_name_is_refused() -> None:
    errors = errors_of(_key_secret(stringData={"api key": "x"}))

    assert [error.field for error in errors] == [("stringData", "api key")]


def test_type_that_is_no_text_is_refused() -> None:
    assert [error.field for error in errors_of(_secret(type=5))] == [("type",)]


def test_several_mistakes_of_a_secret_are_reported_together() -> None:
    given = _key_secret(data={"a": "*", "b": "*"}, extra=1)
    given["metadata"] = None

    problems = parse_object(given).problems

    assert [problem.field for problem in problems] == [("metadata",), ("data", "a"), ("data", "b"), ("extra",)]
    assert ProblemKind.WARNING is problems[-1].kind


def test_values_are_in_no_representation() -> None:
    given = _key_secret(stringData={"api-key": "top-secret-value"})
    given["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "top-secret-value"}

    parsed = parse_object(given)

    assert isinstance(parsed.model, KeySecret)
    assert "top-secret-value" not in repr(parsed)
    assert "top-secret-value" not in str(parsed.model)
    assert "top-secret-value" not in f"{parsed.model.data}"


def test_values_are_in_no_message() -> None:
    given = _secret(data={"api-key": "top-secret-value!"}, stringData={"x": ["top-secret-value!"]}, type=1, dat={})

    messages = messages_of(given)

    assert len(messages) == 4
    assert "top-secret-value" not in " ".join(messages)


def test_hashes_of_passwords_are_in_no_representation() -> None:
    users = {"users": {"ann": {"salt": "pepper", "hashedPassword": "hashed-value"}}}
    given = lab_object("ExtAuthPolicy", "products-apikey")
    given["spec"]["config"]["glooAuth"]["configs"] = [{"basicAuth": {"apr": users}}]

    parsed = parse_object(given)

    assert parsed.model is not None
    assert "hashed-value" not in repr(parsed)
    assert "pepper" not in repr(parsed)


def test_secret_of_another_type_is_plain() -> None:
    secret = model_of(_secret(type="Opaque", stringData={"api-key": "k"}), PlainSecret)

    assert (secret.type, str(secret.ref)) == ("Opaque", "Secret team/one")
