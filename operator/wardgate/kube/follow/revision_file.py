"""The last good revision on a volume, for a container that starts again while the API server is away.

One small file names the revision, its sequence and when it was last confirmed; beside it lies one file for each group,
named by its hash and compressed, so that a change of one key writes two small files. A file is replaced in one step,
and the small one after the groups that it names: whatever is interrupted, it names a whole revision or an older one.
The files hold provider tokens in clear: readable by their owner alone, and meant for a volume in memory.

The wall's clock tells how old it is, since no other clock outlives the process.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from wardgate.kube.delivery.shards import compress
from wardgate.wire.bundle import Bundle, hash_of, revision_of

FORMAT: Final = "wardgate-revision-1"


class RevisionFileError(Exception):
    """The files hold no whole revision; the text says so in a sentence."""


@dataclass(frozen=True, slots=True)
class KeptRevision:
    """``confirmed_at``: unix seconds at which the index was last known to name this revision."""

    bundle: Bundle
    sequence: int
    verified_at: str
    confirmed_at: float


class RevisionFile:
    """A folder of its own in ``volume``, which must exist. For one process at a time."""

    def __init__(self, volume: Path, *, release: str, namespace: str) -> None:
        self.folder = volume / f"{namespace}.{release}"
        self._main = self.folder / "revision.json"

    def write(self, kept: KeptRevision) -> None:
        """Keep this revision in place of the last one. Raises ``OSError``."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        bundle = kept.bundle
        for name, sha256 in bundle.hashes.items():
            if not self._group(sha256).exists():
                self._replace(self._group(sha256), compress(bundle.groups[name]))
        content = {
            "format": FORMAT,
            "schema": bundle.schema,
            "revision": bundle.revision,
            "sequence": kept.sequence,
            "verified_at": kept.verified_at,
            "confirmed_at": kept.confirmed_at,
            "groups": dict(bundle.hashes),
        }
        self._replace(self._main, json.dumps(content).encode())
        self._remove_all_but({self._main, *map(self._group, bundle.hashes.values())})

    def read(self) -> KeptRevision | None:
        """Return what is kept, verified; None: nothing is. Raises ``RevisionFileError``."""
        if not self._main.exists():
            return None
        try:
            return _kept(json.loads(self._main.read_bytes()), self._read_group)
        except (
            OSError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            EOFError,
            RecursionError,
            zlib.error,
        ) as error:
            msg = f"The config kept in {self.folder} cannot be read ({type(error).__name__}); it is thrown away."
        # A damaged group must not be taken for one that is kept already.
        with suppress(OSError):
            self._remove_all_but(set())
        raise RevisionFileError(msg)

    def _group(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.gz"

    def _read_group(self, sha256: str) -> bytes:
        return gzip.decompress(self._group(sha256).read_bytes())

    def _replace(self, path: Path, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def _remove_all_but(self, keep: set[Path]) -> None:
        for path in self.folder.iterdir():
            if path not in keep:
                path.unlink()


def _kept(content: dict[str, Any], read_group: Callable[[str], bytes]) -> KeptRevision:
    """Read the small file, and what it names. Raises whatever a file of another shape leads to."""
    if content["format"] != FORMAT:
        raise ValueError
    sequence, confirmed_at = content["sequence"], content["confirmed_at"]
    if type(sequence) is not int or not isinstance(confirmed_at, int | float) or math.isnan(confirmed_at):
        raise TypeError
    groups = {name: read_group(sha256) for name, sha256 in content["groups"].items()}
    hashes = {name: hash_of(data) for name, data in groups.items()}
    bundle = Bundle(content["schema"], content["revision"], MappingProxyType(groups), MappingProxyType(hashes))
    if revision_of(schema=bundle.schema, hashes=hashes) != bundle.revision:
        raise ValueError
    return KeptRevision(bundle, sequence, str(content["verified_at"]), confirmed_at)
