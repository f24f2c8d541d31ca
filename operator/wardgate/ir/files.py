"""A file beside the proxy, such as a mounted certificate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileRef:
    """An absolute path. The proxy opens it only below its configured folder, symlinks resolved (invariant 9)."""

    path: str
