"""Groups in an extractor's replacement text, in the spelling of another tool."""

from __future__ import annotations

import pytest

from wardgate.translate.policies.replacement_texts import misread_group


@pytest.mark.parametrize(
    ("mode", "text", "told"),
    [
        ("REPLACE_ALL", r"x\1", r"holds \1, which is written as it stands. Write $1 for the group."),
        (
            "SINGLE_REPLACE",
            "x$1",
            "holds $1, which SINGLE_REPLACE writes as it stands. Use REPLACE_ALL, where $1 works.",
        ),
        (
            "SINGLE_REPLACE",
            r"x\2",
            r"holds \2, which SINGLE_REPLACE writes as it stands. Use REPLACE_ALL, where $2 works.",
        ),
        ("REPLACE_ALL", "x$1 $& $$ \\n", None),
        ("SINGLE_REPLACE", "costs $", None),
        ("EXTRACT", "", None),
    ],
)
def test_group_that_is_none_is_told(mode: str, text: str, told: str | None) -> None:
    assert told == misread_group(mode, text)
