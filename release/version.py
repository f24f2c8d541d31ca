"""The version: it stands in ``operator/wardgate/__init__.py``, and all other places repeat that one.

``python3 -m release.version`` says which of them differ, and with ``--tag v0.2.0`` whether this is the release of that
version. ``python3 -m release.version --set 0.2.0`` writes them all.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ("operator/wardgate/__init__.py", r'^__version__ = "(.+)"$')
COPIES = (
    ("charts/wardgate/Chart.yaml", r"^version: (.+)$"),
    ("charts/wardgate/Chart.yaml", r'^appVersion: "(.+)"$'),
    ("Dockerfile", r"wardgate:(\S+) --build-arg VERSION="),
    ("Dockerfile", r"--build-arg VERSION=(\S+) "),
    ("docs/install.md", r"wardgate:(\S+) --build-arg VERSION="),
    ("docs/install.md", r"--build-arg VERSION=(\S+) "),
    ("docs/install.md", r"docker push registry\.example/wardgate:(\S+)$"),
)
FORM = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:rc[1-9]\d*)?")
"""What both Python and Helm take for a version; candidates are ``0.2.0rc1`` here and ``0.2.0-rc1`` in the chart."""
CHANGES = "CHANGELOG.md"
UNRELEASED = "## [Unreleased]"


def main() -> int:
    """Check or write the version. Exit status 1: something differs."""
    parser = argparse.ArgumentParser(prog="python3 -m release.version", description=__doc__.partition("\n")[0])
    parser.add_argument("--tag", help="the Git tag that is released")
    parser.add_argument("--set", dest="new", help="write this version everywhere")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args()
    if options.new:
        if not FORM.fullmatch(options.new):
            print(f"{options.new} is no version: write MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCHrcN.", file=sys.stderr)
            return 1
        write(options.root, options.new)
    wrong = differences(options.root, options.tag)
    print("\n".join(wrong) or version_of(options.root))
    return 1 if wrong else 0


def version_of(root: Path) -> str:
    """Give the version. Raises ``LookupError`` where there is none."""
    return _read(root, *SOURCE)


def in_chart(version: str) -> str:
    """Give a version as Helm and krew write it."""
    return version.replace("rc", "-rc")


def differences(root: Path, tag: str | None) -> list[str]:
    """Name the places that say something else than the version."""
    version = version_of(root)
    expected = {file: in_chart(version) if "Chart" in file else version for file, _ in COPIES}
    found = [(file, pattern, _read(root, file, pattern)) for file, pattern in COPIES]
    wrong = [f"{file} says {said}, not {expected[file]}." for file, _, said in found if said != expected[file]]
    if tag is not None and tag != f"v{version}":
        wrong.append(f"The tag is {tag}, and {SOURCE[0]} says {version}: tag v{version}.")
    if tag is not None and f"\n## [{version}] - " not in (root / CHANGES).read_text(encoding="utf-8"):
        wrong.append(f"{CHANGES} has no section [{version}]: python3 -m release.version --set {version} writes it.")
    return wrong


def write(root: Path, version: str) -> None:
    """Write the version everywhere; what was not released becomes its section of the change log."""
    for file, pattern in (SOURCE, *COPIES):
        said = in_chart(version) if "Chart" in file else version
        path = root / file
        text = path.read_text(encoding="utf-8")
        found = _search(text, file, pattern)
        path.write_text(text[: found.start(1)] + said + text[found.end(1) :], encoding="utf-8")
    path = root / CHANGES
    text = path.read_text(encoding="utf-8")
    if f"\n## [{version}] - " not in text:
        heading = f"{UNRELEASED}\n\n## [{version}] - {datetime.now(UTC):%Y-%m-%d}"
        path.write_text(text.replace(UNRELEASED, heading, 1), encoding="utf-8")


def _read(root: Path, file: str, pattern: str) -> str:
    return _search((root / file).read_text(encoding="utf-8"), file, pattern)[1]


def _search(text: str, file: str, pattern: str) -> re.Match[str]:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        msg = f"{file} has no line with a version that matches {pattern}"
        raise LookupError(msg)
    return found


if __name__ == "__main__":
    sys.exit(main())
