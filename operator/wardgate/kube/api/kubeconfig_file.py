"""The text of kubeconfigs: named clusters, users and contexts, merged as kubectl merges them.

``KUBECONFIG`` may name several files. The first one that holds a name, or a current context, decides what it is; files
that do not exist are passed over. A relative path in a kubeconfig starts from the kubeconfig's own folder.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from wardgate.kube.api.access import NoAccess

DEFAULT: Final = Path("~/.kube/config")
_SORTS: Final = ("cluster", "user", "context")


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields below one entry. ``title`` is what messages call it; no message quotes a value.

    The methods give nothing (an empty text, False, None) where a field is absent, and raise ``NoAccess`` where it
    is of another type.
    """

    title: str
    folder: Path
    values: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str:
        """A field's text."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(f"{name} is not a text")
        return value or ""

    def flag(self, name: str) -> bool:
        """Whether a field is true."""
        value = self.values.get(name) or False
        if not isinstance(value, bool):
            raise self.wrong(f"{name} is neither true nor false")
        return value

    def below(self, name: str) -> Fields | None:
        """The fields of a field."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(f"{name} has no fields")
        return Fields(f"{self.title}, {name}", self.folder, value)

    def several(self, name: str) -> list[object]:
        """A field's list."""
        value = self.values.get(name) or []
        if not isinstance(value, list):
            raise self.wrong(f"{name} is not a list")
        return value

    def path(self, name: str) -> Path | None:
        """The file that a field names."""
        text = self.text(name)
        return self.folder / text if text else None

    def pem(self, name: str) -> bytes:
        """The content of ``NAME-data``, which is base64, else of the file that ``NAME`` names."""
        data, path = self.text(f"{name}-data"), self.path(name)
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except binascii.Error:
                raise self.wrong(f"{name}-data is not base64") from None
        return b"" if path is None else self.read(path)

    def read(self, path: Path) -> bytes:
        """Read a file that a field names."""
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.wrong(f"{path} cannot be read ({type(error).__name__})") from None

    def wrong(self, what: str) -> NoAccess:
        """An error that names the entry."""
        return NoAccess(f"{self.title}: {what}")


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """All files, merged. ``entries`` are known by sort (cluster, user, context) and name."""

    place: str
    current: str
    entries: Mapping[tuple[str, str], Fields]

    def entry(self, sort: str, name: str) -> Fields:
        """Find an entry. Raises ``NoAccess``."""
        found = self.entries.get((sort, name))
        if found is None:
            msg = f'{self.place} has no {sort} "{name}"'
            raise NoAccess(msg)
        return found


def read_kubeconfig(named: str | None) -> Kubeconfig:
    """Read the files of a list as ``KUBECONFIG`` has it, else that of ``KUBECONFIG``, else ``~/.kube/config``.

    Raises ``NoAccess``: none of the files exists, one of them cannot be read or is no kubeconfig.
    """
    place = named or os.environ.get("KUBECONFIG") or str(DEFAULT)
    paths = [Path(path).expanduser() for path in place.split(os.pathsep) if path]
    current = ""
    entries: dict[tuple[str, str], Fields] = {}
    there = [path for path in paths if path.exists()]
    if not there:
        msg = f"{place} does not exist"
        raise NoAccess(msg)
    for path in there:
        root = _read_file(path)
        current = current or root.text("current-context")
        for sort in _SORTS:
            for name, fields in _named(root, sort):
                entries.setdefault((sort, name), fields)
    return Kubeconfig(place, current, entries)


def _read_file(path: Path) -> Fields:
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
    except OSError as error:
        msg = f"{path} cannot be read ({type(error).__name__})"
        raise NoAccess(msg) from None
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError):
        # The errors of the parser quote the text.
        msg = f"{path} is not YAML"
        raise NoAccess(msg) from None
    if not isinstance(values, dict | None):
        msg = f"{path} is not a kubeconfig"
        raise NoAccess(msg)
    return Fields(str(path), path.absolute().parent, values or {})


def _named(root: Fields, sort: str) -> list[tuple[str, Fields]]:
    found = []
    for item in root.several(f"{sort}s"):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise root.wrong(f"an entry of {sort}s has no name")
        entry = Fields(f'{root.title}, {sort} "{item["name"]}"', root.folder, item)
        inner = entry.below(sort)
        found.append((item["name"], Fields(entry.title, root.folder, inner.values if inner else {})))
    return found
