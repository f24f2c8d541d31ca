"""The published chart renders with the image that was released, by its digest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.chart.helm import ROOT
from wardgate import __version__

DIGEST = f"sha256:{'5e' * 32}"


def pack(helm: Path, image: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "release.chart", "--helm", str(helm), "--image", image, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_published_chart_names_the_image_by_its_digest(helm: Path, tmp_path: Path) -> None:
    assert 0 == pack(helm, f"registry.example/wardgate@{DIGEST}", tmp_path).returncode

    (archive,) = tmp_path.iterdir()
    assert f"wardgate-{__version__}.tgz" == archive.name
    text = subprocess.run([helm, "template", archive], capture_output=True, text=True, timeout=120, check=True).stdout
    images = set(re.findall(r'^\s+image: "?([^"\s]+)"?$', text, re.MULTILINE))
    assert {f"registry.example/wardgate@{DIGEST}"} == images


def test_image_without_a_digest_is_not_published(helm: Path, tmp_path: Path) -> None:
    ended = pack(helm, f"registry.example/wardgate:{__version__}", tmp_path)

    assert 1 == ended.returncode
    assert "names no image by its digest" in ended.stderr
    assert [] == [*tmp_path.iterdir()]
