"""Creation times of exported manifests, in the form in which the API server writes them."""

from __future__ import annotations

import pytest

from wardgate.standalone.objects.creation_time import creation_time


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2024-06-01T00:00:00Z", "2024-06-01T00:00:00Z"),
        ("2024-06-01T01:30:00+02:00", "2024-05-31T23:30:00Z"),
        ("2024-06-01T00:00:00.987654321Z", "2024-06-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_time_is_brought_to_the_form_of_the_api_server(given: str, expected: str) -> None:
    assert expected == creation_time({"creationTimestamp": given})


@pytest.mark.parametrize("metadata", [{}, {"creationTimestamp": None}])
def test_object_without_a_time_has_none(metadata: dict[str, object]) -> None:
    assert "" == creation_time(metadata)


@pytest.mark.parametrize(
    "given",
    [
        20240601,
        "",
        "yesterday",
        "2024-06-01",
        "2024-06-01 00:00:00Z",
        "2024-06-01t00:00:00z",
        "2024-06-01T00:00:00",
        "2024-13-01T00:00:00Z",
        "2024-06-01T00:00:60Z",
        "0001-01-01T00:00:00+01:00",
        "٢٠٢٤-06-01T00:00:00Z",
    ],
)
def test_what_is_no_time_of_the_api_is_told_apart(given: object) -> None:
    assert creation_time({"creationTimestamp": given}) is None
