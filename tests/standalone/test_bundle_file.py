"""A config as one file: private, replaced at once, verified."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from wardgate.ir import Credential, DirectResponse, GatewayConfig, Listener, MetadataEntry, Route, VirtualHost
from wardgate.sensitive import Sensitive
from wardgate.standalone.handover.bundle_file import BundleFileError, read_bundle, write_bundle
from wardgate.wire.encode import encode

BUNDLE = encode(
    GatewayConfig(
        listeners=(Listener("one", 80, (VirtualHost(("*",), (Route("r", DirectResponse(200, "héllo")),)),)),),
        credentials=(Credential("set", "a" * 64, "ns", "key", metadata=(MetadataEntry("token", Sensitive("hf")),)),),
    )
)


def test_bundle_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    write_bundle(path, BUNDLE)
    found = read_bundle(path.read_bytes())

    assert (BUNDLE.revision, BUNDLE.schema) == (found.revision, found.schema)
    assert (dict(BUNDLE.groups), dict(BUNDLE.hashes)) == (dict(found.groups), dict(found.hashes))


def test_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text("old")
    path.chmod(0o644)
    write_bundle(path, BUNDLE)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_bundle(path, BUNDLE)

    assert [path] == list(tmp_path.iterdir())


def _changed(**changes: object) -> bytes:
    content = {
        "format": "wardgate-bundle-1",
        "schema": BUNDLE.schema,
        "revision": BUNDLE.revision,
        "groups": {name: data.decode() for name, data in BUNDLE.groups.items()},
    }
    return json.dumps(content | changes).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no bundle"),
        (_changed(format="2"), "no bundle"),
        (_changed(groups=None), "not whole"),
        (_changed(revision=1), "not whole"),
        (_changed(groups={}), "changed or cut off"),
        (_changed(schema="9.9"), "changed or cut off"),
    ],
)
def test_file_that_is_no_whole_bundle_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(BundleFileError, match=words):
        read_bundle(data)
