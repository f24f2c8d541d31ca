"""YAML in the documents is taken by ``wardgate check`` without a word against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents.blocks import DOCUMENTS, ROOT, Block, blocks_of
from wardgate.api.kinds.annotations import KNOWN_ON
from wardgate.cli.check import diagnose
from wardgate.settings import Settings

LAB = ROOT / "examples" / "huggingface"
CODES = ROOT / "operator" / "wardgate" / "codes"
"""Its pages show what is wrong; tests/cli/test_explain.py sees that it is found."""
BLOCKS = [block for path in DOCUMENTS if path.parent != CODES for block in blocks_of(path, "yaml")]
BOUND = "api-inference.huggingface.co"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.document}:{block.line}")
def test_a_manifest_of_a_document_is_right(tmp_path: Path, block: Block) -> None:
    """A part of an object is put into the object of the lab that it belongs to."""
    objects = [one for path in sorted(LAB.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    before = found(tmp_path / "before", objects)
    for part in yaml.safe_load_all(block.text):
        take(objects, part)

    assert before == found(tmp_path / "after", objects)


def found(folder: Path, objects: list[dict[str, Any]]) -> list[tuple[str, str]]:
    folder.mkdir()
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
    scan, diagnostics = diagnose([folder], Settings(allow_loopback=True))
    assert len(objects) == scan.count
    return [(one.severity, one.message) for one in diagnostics]


def take(objects: list[dict[str, Any]], part: dict[str, Any]) -> None:
    if "kind" in part:
        objects.append(part)
        return
    target = next(one for one in objects if one["kind"] == owner(part))
    if "config" in part:
        target["spec"]["config"] = part["config"]
    elif "status" in part:
        target["status"] = part["status"]
    else:
        target["metadata"]["annotations"] = hosts_of_the_lab(part["metadata"]["annotations"])


def owner(part: dict[str, Any]) -> str:
    """The kind of the lab's object that a part belongs to."""
    if "config" in part:
        return "TransformationPolicy"
    if "status" in part:
        return "ExtAuthPolicy"
    (kind,) = {KNOWN_ON[name] for name in part["metadata"]["annotations"]}
    return str(kind)


def hosts_of_the_lab(annotations: dict[str, str]) -> dict[str, str]:
    """A binding in a document names some provider; the lab has one of its own."""
    return {name: BOUND if name.endswith("/upstream-hosts") else value for name, value in annotations.items()}
