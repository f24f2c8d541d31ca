"""Files and folders on the command line: what must be true of them before a command starts, and a remedy where not.

Manifests are read elsewhere, and their mistakes are told there.
"""

from __future__ import annotations

import difflib
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from wardgate.cli.errors import USAGE, CommandError


def check_folder(path: Path) -> Path:
    """Refuse what is no folder, and name the nearest one that is."""
    if _holds(path.is_dir):
        return path
    trouble = "is a file, not a folder" if _holds(path.exists) else "does not exist"
    raise typer.BadParameter(f"{path} {trouble}; {_remedy(path)}")


FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", callback=check_folder, help="Folder of manifests.")]


def _remedy(path: Path) -> str:
    nearest = _nearest_folder(path)
    if nearest in {Path(), Path(path.anchor)}:
        return "give the folder that holds the manifests."
    return f"give the folder that holds the manifests. The nearest that exists is {nearest}."


def _nearest_folder(path: Path) -> Path:
    """Follow the path as far as there are folders of its names, or of names much like them."""
    found = Path(path.anchor)
    for part in path.relative_to(found).parts:
        like = [part] if _holds((found / part).is_dir) else difflib.get_close_matches(part, _folders(found), n=1)
        if not like:
            break
        found /= like[0]
    return found


def _holds(probe: Callable[[], bool]) -> bool:
    """Below a folder that may not be entered nothing is seen; Python before 3.14 raises there."""
    try:
        return probe()
    except OSError:
        return False


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def check_certificates(path: Path | None) -> Path | None:
    """Refuse a file without a PEM certificate now: a worker would say so only once it dials a provider."""
    if path is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
        found = context.cert_store_stats()["x509"] > 0  # a revocation list loads too
    except ssl.SSLError:
        found = False
    if found:
        return path
    msg = (
        f"--upstream-ca: the file {path} holds no PEM certificate; "
        "give the authority's, which begins with -----BEGIN CERTIFICATE-----."
    )
    raise CommandError(msg, status=USAGE)
