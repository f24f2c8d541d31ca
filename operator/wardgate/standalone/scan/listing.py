"""The files of a folder, with signatures that change when a file does. Reads no manifest.

Links are followed, since mounted ConfigMaps and many GitOps checkouts are made of them: every file is listed once, by
its device and inode, under the first of its paths, and a directory is entered once, so that a link to a parent ends
nothing but itself. Names that start with a dot are left out: they are editors' swap files, and the ``..data`` and
time-stamped directories behind a mounted ConfigMap, whose content appears under its proper names beside them. So are
those that a folder's owner excludes (``ignore_rules``); a file that is given by its own path is read all the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from wardgate.standalone.scan.ignore_rules import IGNORE_FILE, IgnoreFileFault, IgnoreRules

SUFFIXES: Final = (".yaml", ".yml", ".json")
_NOT_MANIFESTS: Final = frozenset({"kustomization.yaml", "kustomization.yml"})

Signature: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of the inode in nanoseconds."""


Complaint: TypeAlias = tuple[str, str]
"""The fault of a path, and the remedy."""

_MISSING: Final[Complaint] = ("It does not exist.", "Correct the path, or restore it.")
_DANGLING: Final[Complaint] = ("The link points to nothing.", "Correct the link.")


@dataclass(slots=True)
class Listing:
    """``files`` is in the order of the paths. ``unheeded``: ignore files of which not all counts."""

    files: dict[str, Signature] = field(default_factory=dict)
    unreadable: dict[str, Complaint] = field(default_factory=dict)
    unheeded: dict[str, IgnoreFileFault] = field(default_factory=dict)


def list_files(roots: Sequence[Path], exclude: Sequence[str] = ()) -> Listing:
    """List the manifests below directories, and files that are roots themselves whatever their name.

    ``exclude``: patterns of what to leave out, besides those of each directory's ignore file.
    """
    walk = _Walk()
    for root in roots:
        walk.begin(root, IgnoreRules(root, exclude))
    listing = walk.listing
    listing.files = dict(sorted(listing.files.items()))
    return listing


class _Walk:
    """The state of one walk through a folder."""

    def __init__(self) -> None:
        self.listing = Listing()
        self._seen: set[tuple[int, int]] = set()

    def begin(self, root: Path, ignored: IgnoreRules) -> None:
        """List one root."""
        self._root, self._ignored = str(root), ignored
        if ignored.complaint is not None:
            self.listing.unheeded[str(root / IGNORE_FILE)] = ignored.complaint
        self.enter(self._root, root.stat, missing=_MISSING, any_name=True)

    def enter(
        self, path: str, probe: Callable[[], os.stat_result], *, missing: Complaint | None, any_name: bool = False
    ) -> None:
        """``missing`` None: a path that is gone when it is probed was deleted a moment ago, and that is all."""
        try:
            info = probe()
        except FileNotFoundError:
            if missing is not None:
                self.listing.unreadable[path] = missing
            return
        except OSError as error:
            self.listing.unreadable[path] = _complaint(error)
            return
        if (info.st_dev, info.st_ino) in self._seen:
            return
        if stat.S_ISDIR(info.st_mode):
            self._seen.add((info.st_dev, info.st_ino))
            self._enter_directory(path)
        elif any_name or (stat.S_ISREG(info.st_mode) and _is_manifest(path)):
            self._seen.add((info.st_dev, info.st_ino))
            self.listing.files[path] = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)

    def _enter_directory(self, path: str) -> None:
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self.listing.unreadable[path] = _complaint(error)
            return
        for entry in entries:
            is_link = entry.is_symlink()
            if entry.name.startswith(".") or not (is_link or entry.is_dir() or _is_manifest(entry.name)):
                continue
            shown = entry.name if path == "." else f"{path}/{entry.name}"
            if self._ignored.leaves_out(shown.removeprefix(f"{self._root}/"), is_directory=_is_directory(entry)):
                continue
            self.enter(shown, entry.stat, missing=_DANGLING if is_link and _is_manifest(entry.name) else None)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_manifest(path: str) -> bool:
    return path.endswith(SUFFIXES) and path.rpartition("/")[2] not in _NOT_MANIFESTS


def _complaint(error: OSError) -> Complaint:
    return (f"It cannot be read: {error.strerror}.", "Mend its permissions.")
