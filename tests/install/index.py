"""A package index in a folder, of packages that the test makes up: a registry on the day after a release."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str, *, requires: str = "", extra: str = "") -> Path:
    """Write a wheel with one empty module. ``requires`` is one requirement, ``extra`` an extra that it offers."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    fields = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    fields += [f"Requires-Dist: {requires}"] if requires else []
    fields += [f"Provides-Extra: {extra}"] if extra else []
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": "\n".join([*fields, ""]),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(f"{about}/RECORD", "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"]))
    return path


def index_address(wheels: Path) -> str:
    """Lay out ``wheels/NAME/*.whl`` as PEP 503's simple index and return its address."""
    for folder in filter(Path.is_dir, wheels.iterdir()):
        links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted(folder.glob("*.whl")))
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n")
    return wheels.as_uri()


def lock_of(wheels: Iterable[Path]) -> str:
    """Pin wheels by their hashes, as ``make lock`` pins them: an extra is not part of a pin."""
    lines = []
    for path in wheels:
        name, version, _ = path.name.split("-", 2)
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return "".join(lines)


def environment_of(index: str) -> dict[str, str]:
    """Return this process's environment with pip's settings replaced: it knows one index and no cache."""
    dropped = ("PIP_", "PYTHON", "VIRTUAL_ENV", "COV_", "COVERAGE_", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
