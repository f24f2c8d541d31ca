"""Values of annotations are read to the second, or refused with what should stand there."""

from __future__ import annotations

import pytest

from wardgate.api.kinds.annotations import (
    EXPIRES_AT,
    FORWARD_CREDENTIAL,
    KNOWN_ON,
    MAX_STRAY,
    UPSTREAM_HOSTS,
    AnnotationError,
    StrayAnnotation,
    parse_flag,
    parse_list,
    parse_time,
    stray_annotations,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2030-01-31T12:00:00Z", 1_896_091_200),
        ("2030-01-31T14:00:00+02:00", 1_896_091_200),
        ("2030-01-31t12:00:00z", 1_896_091_200),
        ("2030-01-31 12:00:00Z", 1_896_091_200),
        ("2030-01-31T12:00:00.999Z", 1_896_091_200),
        (" 2030-01-31T12:00:00Z\n", 1_896_091_200),
        ("1969-12-31T23:59:59.5Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
        ("2016-12-31T23:59:60.9Z", 1_483_228_800),
        ("2016-12-31T15:59:60-08:00", 1_483_228_800),
    ],
)
def test_time_is_read_to_the_second(text: str, seconds: int) -> None:
    assert seconds == parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2030-01-31",
        "2030-01-31T12:00:00",
        "2030-01-31T12:00Z",
        "2030-02-30T12:00:00Z",
        "2030-01-31T25:00:00Z",
        "2030-01-31T12:00:61Z",
        "2030-01-31T12:00:60Z",
        "2030-01-30T23:59:60Z",
        "9999-12-31T23:59:60Z",
        "2030-01-31T12:00:00+99:00",
        "1895918400",
        "٢٠٣٠-01-31T12:00:00Z",
    ],
)
def test_unreadable_time_is_refused_with_an_example(text: str) -> None:
    assert AnnotationError("an RFC 3339 time with a zone, such as 2030-01-31T12:00:00Z") == parse_time(text)


@pytest.mark.parametrize(("text", "flag"), [("true", True), (" True ", True), ("FALSE", False)])
def test_flag_is_read_in_any_case(text: str, *, flag: bool) -> None:
    assert flag is parse_flag(text)


@pytest.mark.parametrize("text", ["", "yes", "1", "truee"])
def test_unreadable_flag_is_refused(text: str) -> None:
    assert AnnotationError('"true" or "false"') == parse_flag(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        (" , ,", ()),
        ("api.openai.com", ("api.openai.com",)),
        ("X-B, x-a ,,X-b", ("x-b", "x-a")),
    ],
)
def test_list_is_lower_case_and_without_repetitions(text: str, parts: tuple[str, ...]) -> None:
    assert parts == parse_list(text)


@pytest.mark.parametrize(("name", "kind"), KNOWN_ON.items())
def test_known_annotation_on_its_kind_is_not_stray(name: str, kind: str) -> None:
    assert [] == list(stray_annotations([name], kind))


@pytest.mark.parametrize("name", ["example.com/upstream-hosts", "kubectl.kubernetes.io/last-applied-configuration", 5])
def test_annotations_of_others_are_not_stray(name: object) -> None:
    assert [] == list(stray_annotations([name], "Secret"))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("wardgate.dev/upstream-host", UPSTREAM_HOSTS),
        ("wardgate.dev/expiresAt", EXPIRES_AT),
        ("Wardgate.dev/Expires-At", EXPIRES_AT),
        ("wardgate.io/upstream-hosts", UPSTREAM_HOSTS),
        ("wardgate/forward-credentials", FORWARD_CREDENTIAL),
    ],
)
def test_misspelt_annotation_names_the_nearest(name: str, near: str) -> None:
    expected = StrayAnnotation(name, f"is not known and has no effect. Did you mean {near}?")
    assert [expected] == list(stray_annotations([name], "Secret"))


def test_annotation_that_resembles_none_lists_all() -> None:
    (stray,) = stray_annotations(["wardgate"], "Secret")
    assert stray.complaint.startswith("is not known and has no effect. Known are: wardgate.dev/allow-from, ")


def test_annotation_on_another_kind_is_told_where_it_belongs() -> None:
    (stray,) = stray_annotations([UPSTREAM_HOSTS], "ExtAuthPolicy")
    assert "has no effect: it belongs on an object of kind Secret. Move it there, or remove it." == stray.complaint


def test_many_stray_annotations_are_not_all_told() -> None:
    assert MAX_STRAY == len(list(stray_annotations([f"wardgate.dev/{n}" for n in range(1000)], "Secret")))
