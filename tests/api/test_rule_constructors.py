"""The constructors of rules escape what CEL reserves."""

from __future__ import annotations

from wardgate.api.rules.rules import at_most_one, given, json_name


def test_reserved_words_are_escaped() -> None:
    assert given("namespace").cel == "has(self.__namespace__)"


def test_terms_are_counted() -> None:
    rule = at_most_one(given("secret_name"), given("files"), message="Give one.")

    assert rule.cel == "(has(self.secretName) ? 1 : 0) + (has(self.files) ? 1 : 0) <= 1"


def test_trailing_underscore_keeps_python_apart_and_is_not_written() -> None:
    assert [json_name("schema_"), json_name("k8s_secret_apikey_storage")] == ["schema", "k8sSecretApikeyStorage"]
