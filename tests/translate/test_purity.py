"""Same input, same output: whatever the order of the objects, with and without a memo. And no input raises."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.translate.cluster import Cluster, documents
from tests.translate.rendering import render
from wardgate.api import KINDS, identify
from wardgate.settings import Settings
from wardgate.translate import Memo, translate

_FOLDER = Path(__file__).parent.parent / "golden" / "translate"
_FILES = sorted(_FOLDER.glob("*.in.yaml"))
_MANIFESTS = {path: [one for one in documents(path.read_text()) if "kind" in one] for path in _FILES}
_ISOLATED = Settings(tenancy="isolated", platform_namespaces=frozenset({"infra"}), cluster_name="east")


def _cluster(files: list[Path]) -> Cluster:
    cluster = Cluster()
    for path in files:
        cluster.apply(*_MANIFESTS[path])
    return cluster


@pytest.mark.no_cover
@settings(max_examples=2, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_the_objects_changes_nothing(random: Any) -> None:
    cluster = _cluster(_FILES)
    shuffled = list(cluster.objects)
    random.shuffle(shuffled)
    expected = translate(cluster.snapshot(), Settings())
    assert render(expected) == render(translate(cluster.snapshot(shuffled), Settings()))


def test_memo_changes_nothing() -> None:
    memo, half, whole = Memo(), _cluster(_FILES[::2]), _cluster(_FILES)
    first = translate(half.snapshot(), Settings(), memo=memo)
    half.apply(*(stored.manifest for ref, stored in whole.objects.items() if ref not in half.objects))
    with_memo = translate(half.snapshot(), Settings(), last_good=first.last_good, memo=memo)
    assert render(translate(half.snapshot(), Settings(), last_good=first.last_good)) == render(with_memo)


def test_translation_is_its_own_fixed_point() -> None:
    snapshot = _cluster(_FILES).snapshot()
    first = translate(snapshot, Settings())
    second = translate(snapshot, Settings(), last_good=first.last_good)
    assert render(second) == render(translate(snapshot, Settings(), last_good=second.last_good))


def test_input_is_left_as_it_was() -> None:
    cluster = _cluster(_FILES)
    before = copy.deepcopy([stored.manifest for stored in cluster.objects.values()])
    translate(cluster.snapshot(), Settings())
    assert before == [stored.manifest for stored in cluster.objects.values()]


_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-5, max_value=70000),
    st.floats(allow_nan=True),
    st.sampled_from(["", "*", "/", "a", "{{", "[", "\x00", "ä" * 300, "infra", "web", "..", "unix:///x", "\ud800"]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(
        st.sampled_from(["name", "labels", "namespace", "regex", ""]), st.sampled_from(["a", "web"]), max_size=2
    ),
)


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for step, child in children for place in _places(child, (*path, step)))]


def _mutated(manifest: dict[str, Any], place: tuple[Any, ...], change: Callable[[Any], Any]) -> dict[str, Any]:
    changed = copy.deepcopy(manifest)
    node: Any = changed
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = change(node[place[-1]])
    return changed


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_mutation_raises(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_FILES))
    manifests = _MANIFESTS[path]
    cluster = Cluster().apply(*manifests)
    last_good = translate(cluster.snapshot(), Settings()).last_good
    victim = data.draw(st.sampled_from(manifests))
    ref = identify(victim)
    for _ in range(data.draw(st.integers(min_value=1, max_value=3))):
        place = data.draw(st.sampled_from([place for place in _places(victim) if place]))
        junk = data.draw(_JUNK)
        victim = _mutated(victim, place, lambda _, junk=junk: junk)  # type: ignore[misc]
    stored = cluster.objects[ref]
    cluster.objects[ref] = type(stored)(ref, stored.uid, stored.version + 1000, 2, stored.created, victim)
    for chosen in (Settings(), _ISOLATED):
        translation = translate(cluster.snapshot(), chosen, last_good=last_good)
        assert (translation.statuses.of(ref) is not None) == (ref.kind in KINDS)


@pytest.mark.parametrize("manifest", [{}, {"kind": 5}, {"metadata": 5}, {"kind": "RouteTable", "spec": []}])
def test_object_that_is_none_is_judged(manifest: dict[str, Any]) -> None:
    cluster = Cluster().apply(_MANIFESTS[_FILES[0]][0])
    (ref,) = cluster.objects
    stored = cluster.objects[ref]
    cluster.objects[ref] = type(stored)(ref, stored.uid, 2, 2, stored.created, manifest)
    status = translate(cluster.snapshot(), Settings()).statuses.of(ref)
    assert status is not None
    assert "INVALID" == status.approval
