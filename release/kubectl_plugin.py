"""Packs kubectl's plugin for krew: ``python3 -m release.kubectl_plugin FOLDER`` writes archive and manifest there.

The same source gives the same bytes, so the manifest's hash can be checked by whoever has the source.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

from release.version import ROOT, in_chart, version_of

SOURCES = Path(__file__).with_name("krew")
ARCHIVE = "kubectl-wardgate.tar.gz"
MANIFEST = "wardgate.yaml"
HOME = "https://git.example/wardgate"
"""Stands for the repository where ``GITHUB_REPOSITORY`` names none."""


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(prog="python3 -m release.kubectl_plugin")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    archive = pack(version_of(ROOT))
    (folder / ARCHIVE).write_bytes(archive)
    (folder / MANIFEST).write_text(manifest(version_of(ROOT), archive), encoding="utf-8")


def pack(version: str) -> bytes:
    """Make the archive: the program and the license."""
    program = (SOURCES / "kubectl-wardgate").read_text(encoding="utf-8").replace("@VERSION@", version)
    packed = io.BytesIO()
    # Without a name and a time in the head of gzip.
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        _add(tar, "kubectl-wardgate", program.encode(), mode=0o755)
        _add(tar, "LICENSE", (ROOT / "LICENSE").read_bytes(), mode=0o644)
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes, *, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def manifest(version: str, archive: bytes) -> str:
    """Fill in krew's manifest."""
    named = os.environ.get("GITHUB_REPOSITORY")
    values = {
        "VERSION": version,
        "CHART_VERSION": in_chart(version),
        "REPOSITORY": f"https://github.com/{named}" if named else HOME,
        "SHA256": hashlib.sha256(archive).hexdigest(),
    }
    text = (SOURCES / MANIFEST).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


if __name__ == "__main__":
    main()
