"""No input raises, whatever stands where."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.lab import LAB, Manifest
from wardgate.api.kinds.registry import KINDS
from wardgate.api.reading.parse import parse_object
from wardgate.api.rules.shape import properties
from wardgate.problems import ProblemKind

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
_API_VERSIONS = st.sampled_from(["v1", *(kind.api_version for kind in KINDS.values())])
_KINDS = st.sampled_from(["Secret", *KINDS])


def _field_names() -> list[str]:
    names: set[str] = {"data", "stringData", "type"}
    waiting: list[Any] = [kind.model for kind in KINDS.values()]
    seen: set[Any] = set()
    while waiting:
        model = waiting.pop()
        for name, part in properties(model).items():
            names.add(name)
            inner = part.shape.model or getattr(part.shape.items or part.shape.values, "model", None)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    return sorted(names)


_FIELD = st.sampled_from(_field_names())
_LIKELY = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_FIELD, inner, max_size=4))


def _is_consistent(manifest: Manifest) -> bool:
    parsed = parse_object(manifest)
    failed = any(problem.kind is ProblemKind.ERROR for problem in parsed.problems)
    return not (failed and parsed.model is not None)


@pytest.mark.no_cover
@settings(max_examples=75, deadline=None)
@given(manifest=st.dictionaries(st.text(max_size=8) | st.sampled_from(["kind", "metadata"]), _JSON, max_size=4))
def test_any_json_is_read_without_raising(manifest: Manifest) -> None:
    assert _is_consistent(manifest)


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(api_version=_API_VERSIONS, kind=_KINDS, metadata=_LIKELY, spec=_LIKELY)
def test_any_spec_of_known_fields_is_read_without_raising(
    api_version: str, kind: str, metadata: object, spec: object
) -> None:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "data": spec}

    assert _is_consistent(manifest)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), replacement=_LIKELY)
def test_lab_object_with_one_value_replaced_is_read_without_raising(seed: int, replacement: object) -> None:
    chance = random.Random(seed)
    manifest = deepcopy(chance.choice(LAB))
    node: Any = manifest
    while True:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key] or chance.random() < 0.1:
            break
        node = node[key]
    node[key] = replacement

    assert _is_consistent(manifest)
