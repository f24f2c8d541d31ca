"""The notes of a release are its section of the change log, and nothing of its neighbours'."""

from __future__ import annotations

import pytest

from release.notes import section

TEXT = """# Changelog

## [Unreleased]

- New.

## [0.2.0] - 2030-01-01

- One.

## [0.1.0] - 2029-01-01

- Two.
"""


@pytest.mark.parametrize(
    ("version", "expected"), [("Unreleased", "- New."), ("0.2.0", "- One."), ("0.1.0", "- Two."), ("0.3.0", "")]
)
def test_notes_are_the_section_of_the_version(version: str, expected: str) -> None:
    assert expected == section(TEXT, version)
