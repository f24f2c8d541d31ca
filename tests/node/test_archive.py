"""Image archives without an engine: their form, and that the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.node.archive import WHITEOUT, extend_image, files_layer, names_in, tree_layer, write_image


def _read(archive: Path) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """Give the manifest, the config and the layers."""
    with tarfile.open(archive) as opened:

        def content(name: str) -> bytes:
            member = opened.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(content("manifest.json"))
        return manifest, json.loads(content(manifest["Config"])), [content(each) for each in manifest["Layers"]]


def _image(folder: Path) -> Path:
    files_layer({"bin/program": b"program"}, folder / "layer", mode=0o755)
    write_image(folder / "image.tar", name="a/b:1", layers=[folder / "layer"], config={"User": "65532:65532"})
    return folder / "image.tar"


def test_the_config_names_the_layers_by_what_they_hold(tmp_path: Path) -> None:
    manifest, config, layers = _read(_image(tmp_path))

    assert ["a/b:1"] == manifest["RepoTags"]
    assert {"User": "65532:65532"} == config["config"]
    assert [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers] == config["rootfs"]["diff_ids"]


def test_a_layer_more_keeps_those_below_and_the_config(tmp_path: Path) -> None:
    files_layer({f"bin/{WHITEOUT}program": b""}, tmp_path / "more")
    extend_image(_image(tmp_path), tmp_path / "extended.tar", name="a/b:2", layer=tmp_path / "more")

    manifest, config, layers = _read(tmp_path / "extended.tar")

    assert ["a/b:2"] == manifest["RepoTags"]
    assert {"User": "65532:65532"} == config["config"]
    assert [(tmp_path / "layer").read_bytes(), (tmp_path / "more").read_bytes()] == layers
    assert [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers] == config["rootfs"]["diff_ids"]
    assert ["bin/program", f"bin/{WHITEOUT}program"] == names_in(tmp_path / "extended.tar", "bin/")


def test_a_tree_belongs_to_root_and_leaves_out_what_is_named(tmp_path: Path) -> None:
    for name in ("opt/kept", "opt/cache/left", "var/left"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(name)
    (tmp_path / "root" / "opt" / "kept").chmod(0o750)

    tree_layer(tmp_path / "root", tmp_path / "layer", only=("opt",), without=("opt/cache",))

    with tarfile.open(tmp_path / "layer") as layer:
        assert ["opt", "opt/kept"] == layer.getnames()
        kept = layer.getmember("opt/kept")
        assert (0, 0, 0, 0o750) == (kept.uid, kept.gid, kept.mtime, kept.mode)
