"""Every ``tests/golden/translate/<kind>-<case>.in.yaml`` comes to its ``.out.yaml``.

The input holds manifests and, between them, documents of our own: ``settings`` (an installation's), ``absent`` (kinds
without a CRD), ``delete`` (``Kind namespace/name``), and ``next: <what happens>``, which ends a step: each step is
translated with the last good forms of the one before, and the output shows the last. ``WARDGATE_GOLDEN=write pytest
tests/translate/test_golden.py`` rewrites the outputs; the diff is then to be read, because they are the specification.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from tests.translate.cluster import Cluster, documents
from tests.translate.rendering import render
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate import Memo, Translation, translate

_FOLDER = Path(__file__).parent.parent / "golden" / "translate"
_SETTINGS = TypeAdapter(Settings)
_CASES = sorted(path.name.removesuffix(".in.yaml") for path in _FOLDER.glob("*.in.yaml"))


def test_there_are_golden_cases() -> None:
    assert len(_CASES) > 40


@pytest.mark.parametrize("case", _CASES)
def test_golden(case: str) -> None:
    actual = render(_run((_FOLDER / f"{case}.in.yaml").read_text()))
    expected = _FOLDER / f"{case}.out.yaml"
    if os.environ.get("WARDGATE_GOLDEN") == "write":
        expected.write_text(actual)
    assert expected.read_text() == actual


def _run(text: str) -> Translation:
    cluster, settings, memo = Cluster(), Settings(), Memo()
    translation = translate(cluster.snapshot(), settings, memo=memo)
    for document in documents(text):
        if "kind" in document:
            cluster.apply(document)
        elif "settings" in document:
            settings = _SETTINGS.validate_python(document["settings"])
        elif "absent" in document:
            cluster.absent = frozenset(document["absent"])
        elif "delete" in document:
            kind, _, path = document["delete"].partition(" ")
            cluster.delete(ObjectRef(kind, *path.split("/")))
        else:
            assert "next" in document
            translation = translate(cluster.snapshot(), settings, last_good=translation.last_good, memo=memo)
    return translate(cluster.snapshot(), settings, last_good=translation.last_good, memo=memo)
