"""Remedies of texts: once one is followed, the folder has nothing to say of the file."""

from __future__ import annotations

import pytest

from tests.remedies.text_rows import ROWS, TextRow
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.scan.folder import Folder


def told(content: bytes | None) -> list[Diagnostic]:
    """The findings of a folder with one file; None where there is none."""
    given = {} if content is None else {"objects.yaml": content}
    return list(Folder((), given=given).scan().diagnostics)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.told)
def test_mistake_is_told(row: TextRow) -> None:
    assert [] != [one for one in told(row.wrong) if row.told in one.remedy]


@pytest.mark.parametrize(
    ("row", "right"),
    [(row, right) for row in ROWS for right in row.right],
    ids=lambda one: one.told if isinstance(one, TextRow) else None,
)
def test_remedy_mends(row: TextRow, right: bytes | None) -> None:
    assert [] == told(right)
