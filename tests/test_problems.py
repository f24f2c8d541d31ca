"""Problems are values: they print what a user looks for and compare by content."""

from __future__ import annotations

import re

import pytest

from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec",), "spec"),
        (("spec", "listeners", 0, "port"), "spec.listeners[0].port"),
        (("spec", "http", 0, "matchers", 12), "spec.http[0].matchers[12]"),
        (("spec", "x-user-id"), "spec.x-user-id"),
        (("metadata", "annotations", "wardgate.dev/expires-at"), 'metadata.annotations["wardgate.dev/expires-at"]'),
        (("data", "api.key"), 'data["api.key"]'),
        (("a", ""), 'a[""]'),
        ((0, "a"), "[0].a"),
    ],
)
def test_a_path_is_written_as_kubectl_does(path: FieldPath, text: str) -> None:
    assert text == format_path(path)


@pytest.mark.parametrize("key", ['a"]\n.b', "\x1b[31m", "a\\"])
def test_a_hostile_key_stays_on_its_line_and_in_its_quotes(key: str) -> None:
    written = format_path(("spec", key))
    assert re.fullmatch(r'spec\["([^"\\\x00-\x1f]|\\.)*"\]', written)


def test_a_reference_prints_kind_namespace_and_name() -> None:
    assert str(ObjectRef("ExtAuthPolicy", "gateways", "huggingface")) == "ExtAuthPolicy gateways/huggingface"


def test_references_sort_by_kind_namespace_and_name() -> None:
    refs = [ObjectRef("B", "a", "a"), ObjectRef("A", "b", "a"), ObjectRef("A", "a", "b"), ObjectRef("A", "a", "a")]
    assert [refs[3], refs[2], refs[1], refs[0]] == sorted(refs)


def test_a_problem_without_a_field_means_the_whole_object() -> None:
    ref = ObjectRef("Secret", "apps", "key-1")
    problem = Problem(
        kind=ProblemKind.WARNING, reason=Reason.BAD_SECRET, message="Secret apps/key-1 is empty.", ref=ref
    )
    assert problem.field == ()


def test_reasons_are_participles_or_nouns_that_a_condition_may_carry() -> None:
    assert [reason for reason in Reason if not re.fullmatch(r"([A-Z][a-z]+)+", reason)] == []
