"""Packs the chart as it is published: ``python3 -m release.chart --image REPOSITORY@sha256:... --helm helm FOLDER``.

The published chart names its image, by digest. Who installs it gets the image that the release signed, and no other.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.version import ROOT

CHART = ROOT / "charts" / "wardgate"
IMAGE = re.compile(r"([a-z0-9][a-z0-9./:_-]*)@(sha256:[0-9a-f]{64})")
BLOCK = re.compile(r'(?ms)(^image:\n.*?^  repository: )\S+(\n.*?^  digest: )""')
"""The defaults in values.yaml that name an image of nobody."""


def main() -> int:
    """Pack it. Exit status 1: the image has no digest, or Helm refuses the chart."""
    parser = argparse.ArgumentParser(prog="python3 -m release.chart", description=__doc__.partition("\n")[0])
    parser.add_argument("--image", required=True, help="REPOSITORY@sha256:...")
    parser.add_argument("--helm", default="helm", help="default: %(default)s")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    named = IMAGE.fullmatch(options.image)
    if named is None:
        print(f"{options.image} names no image by its digest: REPOSITORY@sha256:...", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        chart = Path(scratch, "wardgate")
        shutil.copytree(CHART, chart)
        values = chart / "values.yaml"
        values.write_text(with_image(values.read_text(encoding="utf-8"), *named.groups()), encoding="utf-8")
        command = [options.helm, "package", str(chart), "--destination", str(options.folder)]
        return subprocess.run(command, check=False).returncode


def with_image(values: str, repository: str, digest: str) -> str:
    """Name the image in the text of values.yaml. Raises ``ValueError`` where it has no place for it."""
    named, count = BLOCK.subn(rf'\g<1>{repository}\g<2>"{digest}"', values, count=1)
    if count != 1:
        msg = "values.yaml has no image.repository and empty image.digest"
        raise ValueError(msg)
    return named


if __name__ == "__main__":
    sys.exit(main())
