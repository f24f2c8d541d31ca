"""A folder means what the cluster means: one set of objects comes to the same bytes of config on both ways.

One way is the folder's: files, documents, ``Engine``. The other is the operator's: what an API server returns, the
operator's trimming of it, its scopes, its store (``as_served``; ``tests/e2e/test_exports.py`` has a real one).
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.standalone.as_served import as_operator, as_served
from tests.standalone.lab import FILES
from tests.translate.cluster import documents
from tests.translate.world import World
from wardgate.settings import Settings
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder

_ROOT = Path(__file__).parents[2]
_EXAMPLES = sorted(path.parent for path in (_ROOT / "examples").glob("*/*-policy.yaml"))
_GOLDEN = sorted((_ROOT / "tests" / "golden" / "translate").glob("*.in.yaml"))

Manifest = Mapping[str, Any]
_SETTINGS = TypeAdapter(Settings)


def _as_folder(manifests: Sequence[Manifest], folder: Path, chosen: Settings) -> Outcome:
    """Spread over files in the forms that people use: one document each, lists, JSON."""
    texts = [
        yaml.safe_dump_all(manifests[::4]),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests[1::4]}),
        yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": manifests[2::4]}),
        yaml.safe_dump_all(manifests[3::4], explicit_start=True),
    ]
    for number, text in enumerate(texts):
        (folder / f"{number}.{'json' if text.startswith('{') else 'yaml'}").write_text(text)
    return Engine(chosen).take(Folder([folder]).scan())


def _assert_same(manifests: Iterable[Manifest], folder: Path, chosen: Settings) -> None:
    held = _last_of_each(manifests)
    served = as_served(held)
    operator = as_operator(served, chosen)
    for objects in (held, served):
        outcome = _as_folder(objects, folder, chosen)
        assert operator.translation.config == outcome.config
        assert operator.bundle.groups == outcome.bundle.groups


def _last_of_each(manifests: Iterable[Manifest]) -> list[Manifest]:
    """As a cluster keeps them: what is applied later replaces what has the same name."""
    named = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one for one in manifests}
    return list(named.values())


@pytest.mark.parametrize("folder", _EXAMPLES, ids=lambda path: path.name)
def test_example_comes_to_the_same_config(folder: Path, tmp_path: Path) -> None:
    manifests = [one for path in sorted(folder.glob("*.yaml")) for one in documents(path.read_text())]
    _assert_same(manifests, tmp_path, Settings())


def test_lab_comes_to_the_same_config(tmp_path: Path) -> None:
    _assert_same([one for text in FILES.values() for one in documents(text)], tmp_path, Settings())


@pytest.mark.parametrize("path", _GOLDEN, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_golden_input_comes_to_the_same_config(path: Path, tmp_path: Path) -> None:
    given = documents(path.read_text())
    chosen = [Settings(), *(_SETTINGS.validate_python(one["settings"]) for one in given if "settings" in one)][-1]
    _assert_same([one for one in given if "kind" in one], tmp_path, chosen)


@pytest.mark.no_cover
@settings(max_examples=12)
@given(st.integers(min_value=0))
def test_generated_set_comes_to_the_same_config(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    _play(seed, tmp_path_factory.mktemp("folder"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_many_generated_sets_come_to_the_same_config(tmp_path: Path, seed: int) -> None:
    _play(seed, tmp_path)


def _play(seed: int, folder: Path) -> None:
    world = World(random.Random(seed), cases=1 + seed % 8)
    for manifest in world.pool:
        world.put(manifest)
    for _ in range(30):
        world.change()
    manifests = [_with_time(one.manifest, one.created) for one in world.objects.values()]
    _assert_same([one for one in manifests if _api_server_takes(one)], folder, world.settings)


def _with_time(manifest: Manifest, created: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **({"creationTimestamp": created} if created else {})}}


def _api_server_takes(manifest: Manifest) -> bool:
    """Whatever schema its kind has: a Secret's is the API server's own."""
    data = manifest.get("data")
    return manifest["kind"] != "Secret" or (isinstance(data, dict) and all(map(_is_base64, data.values())))


def _is_base64(value: object) -> bool:
    try:
        base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError:
        return False
    return True
