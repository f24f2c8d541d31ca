"""Plain scalars mean what they mean to kubectl."""

from __future__ import annotations

import math

import pytest

from wardgate.standalone.yaml.scalars import Scalar, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("NO", False),
        ("off", False),
        ("true", True),
        ("~", None),
        ("", None),
        ("null", None),
        ("8081", 8081),
        ("-7", -7),
        ("1_000", 1000),
        ("0", 0),
        ("0x1F", 31),
        ("0b101", 5),
        ("010", 8),
        ("0o10", 8),
        ("-0x10", -16),
        ("089", 89),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("80.0", 80),
        ("-0.0", 0),
        ("1e20", 10**20),
        ("1e21", 1e21),
        ("9" * 50, 1e50),
        ("2024-01-31", "2024-01-31"),
        ("12:30:45", "12:30:45"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("nope", "nope"),
        (".inf", math.inf),
    ],
)
def test_plain_scalar_means_what_it_means_to_kubernetes(text: str, expected: Scalar) -> None:
    found = resolve(text)

    assert (type(expected), expected) == (type(found), found)


def test_number_beyond_all_bounds_is_a_float_and_costs_no_time() -> None:
    assert isinstance(resolve("9" * 100_000), float)
