"""Image archives as ``docker save`` writes them, made and extended without an engine.

The bytes are a function of the content: files keep their modes, belong to root, and have no time.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

WHITEOUT: Final = ".wh."
"""Before the name of a file: a layer removes it."""


def tree_layer(root: Path, target: Path, *, only: Sequence[str] = (), without: Sequence[str] = ()) -> None:
    """Write a layer with everything below ``root``, or only some folders of it, and without others."""

    def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if entry.name.startswith(tuple(without)) else _anonymous(entry)

    with tarfile.open(target, "w") as layer:
        for folder in only or sorted(path.name for path in root.iterdir()):
            layer.add(root / folder, arcname=folder, filter=kept)


def files_layer(files: Mapping[str, bytes], target: Path, *, mode: int = 0o644) -> None:
    """Write a layer with files by their paths in the image, without a leading slash."""
    with tarfile.open(target, "w") as layer:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            layer.addfile(entry, io.BytesIO(content))


def write_image(target: Path, *, name: str, layers: list[Path], config: Mapping[str, Any]) -> None:
    """Write an archive with one image. ``config`` is what a container of it is run with."""
    description = {
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}" for layer in layers]},
    }
    _write(target, name=name, layers=[(_sha256(layer), layer.read_bytes()) for layer in layers], described=description)


def extend_image(source: Path, target: Path, *, name: str, layer: Path) -> None:
    """Write an archive with the image of ``source`` and one more layer, under another name."""
    with tarfile.open(source) as archive:
        manifest = json.loads(_content(archive, "manifest.json"))[0]
        description = json.loads(_content(archive, manifest["Config"]))
        layers = [(hashlib.sha256(each.encode()).hexdigest(), _content(archive, each)) for each in manifest["Layers"]]
    description["rootfs"]["diff_ids"].append(f"sha256:{_sha256(layer)}")
    description.pop("history", None)
    _write(target, name=name, layers=[*layers, (_sha256(layer), layer.read_bytes())], described=description)


def names_in(source: Path, folder: str) -> list[str]:
    """Give the paths below a folder of the image, whichever layer has them."""
    found: list[str] = []
    with tarfile.open(source) as archive:
        for each in json.loads(_content(archive, "manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_content(archive, each))) as layer:
                found += [name for name in layer.getnames() if name.startswith(folder)]
    return found


def _write(target: Path, *, name: str, layers: list[tuple[str, bytes]], described: Mapping[str, Any]) -> None:
    config = json.dumps(described, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{each}.tar" for each, _ in layers]}]
    files = [(config_name, config), *((f"{each}.tar", content) for each, content in layers)]
    with tarfile.open(target, "w") as archive:
        for path, content in [*files, ("manifest.json", json.dumps(manifest).encode())]:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None, f"{name} is no file of the archive."
    return member.read()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
