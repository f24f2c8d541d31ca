"""A bundle as one file: how ``wardgate run --emit`` hands a config to ``wardgate proxy --config``.

JSON; the revision is a hash of all of it, so that a file torn by a copy is noticed. It holds provider tokens in clear:
it is written for its owner alone (0600), and replaced in one step so that a reader sees the old one or the new one.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from wardgate.wire.bundle import Bundle, hash_of, revision_of

FORMAT: Final = "wardgate-bundle-1"


class BundleFileError(Exception):
    """The file is not a bundle, or not a whole one; the text says so in a sentence."""


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Replace ``path`` by this bundle. Raises ``OSError``."""
    content = {
        "format": FORMAT,
        "schema": bundle.schema,
        "revision": bundle.revision,
        "groups": {name: data.decode() for name, data in bundle.groups.items()},
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def read_bundle(data: bytes) -> Bundle:
    """Read the bytes that ``write_bundle`` wrote, and verify them. Raises ``BundleFileError``."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = "The bundle is not JSON."
        raise BundleFileError(msg) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        msg = f'The file is no bundle of the format "{FORMAT}"; write one with wardgate run DIR --emit FILE.'
        raise BundleFileError(msg)
    schema, revision, groups = content.get("schema"), content.get("revision"), content.get("groups")
    if not isinstance(schema, str) or not isinstance(revision, str) or not isinstance(groups, dict):
        msg = "The bundle is not whole."
        raise BundleFileError(msg)
    encoded = {name: str(text).encode() for name, text in groups.items()}
    hashes = {name: hash_of(data) for name, data in encoded.items()}
    if revision_of(schema=schema, hashes=hashes) != revision:
        msg = "The bundle is not what its revision says; it was changed or cut off."
        raise BundleFileError(msg)
    return Bundle(schema, revision, MappingProxyType(encoded), MappingProxyType(hashes))
