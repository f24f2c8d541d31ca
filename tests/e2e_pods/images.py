"""Images derived from the one under test, by a layer on top of its archive."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.chart.helm import ROOT
from tests.e2e_pods.release import IMAGE
from tests.node.archive import WHITEOUT, extend_image, files_layer, names_in

SCHEMA: Final = "wardgate/wire/schema.py"
WRITTEN: Final = 'WRITTEN: Final = ("1.0",)'
RAISED: Final = 'WRITTEN: Final = ("1.0", "2.0")'


def raised_image(source: Path, target: Path, *, tag: str) -> None:
    """Write the image of a Wardgate that writes schema 2.0, and 1.0 for those who read no other."""
    text = (ROOT / "operator" / SCHEMA).read_text(encoding="utf-8")
    assert WRITTEN in text
    names = names_in(source, "opt/wardgate/lib/")
    (module,) = [name for name in names if name.endswith(f"/{SCHEMA}")]
    (bytecode,) = [name for name in names if "/wardgate/wire/__pycache__/schema." in name]
    folder, _, file = bytecode.rpartition("/")
    layer = target.with_suffix(".layer")
    files_layer({module: text.replace(WRITTEN, RAISED).encode(), f"{folder}/{WHITEOUT}{file}": b""}, layer)
    extend_image(source, target, name=f"{IMAGE}:{tag}", layer=layer)
    layer.unlink()
