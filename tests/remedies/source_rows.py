"""Remedies about provider Secrets, from which keys take their metadata."""

from __future__ import annotations

from typing import Final

from tests.remedies.gateway import Changes, Manifest
from tests.remedies.row import Row, row
from wardgate.api.kinds.annotations import METADATA_FROM, SHARE_WITH
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.settings import Settings


def _source(namespace: str = "a", **metadata: object) -> Manifest:
    named = {"name": "token", "namespace": namespace, **metadata}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": named,
        "type": PROVIDER_TOKEN_TYPE,
        "data": {"token": "dA=="},
    }


def _taking(source: str) -> Changes:
    """Let the key take from a source."""
    return {"key metadata annotations": {METADATA_FROM: source}}


_NAME_ANOTHER: Final[Changes] = {**_taking("a/token"), "+own": _source()}
_SHARE: Final[Changes] = {"+token metadata annotations": {SHARE_WITH: "a"}}
_PLATFORMS_GATEWAY: Final[Changes] = {
    "gw metadata namespace": "b",
    "gw listeners 0 allowedRouteTables": [{"host": "api.example.com", "selector": {"namespace": "a"}}],
    "rt virtualGateways": [{"name": "gw", "namespace": "b"}],
}
ROWS: Final[tuple[Row, ...]] = (
    row(
        f"Create it, of type {PROVIDER_TOKEN_TYPE}.",
        _taking("token"),
        {"+token": _source()},
    ),
    row(
        "because Secret b/token may not be read; add namespace b to the installation's keyNamespaces. Or move it.",
        _taking("b/token"),
        _NAME_ANOTHER,
        settings=Settings(key_namespaces=frozenset({"a"})),
    ),
    row(
        f"Name another, or have its owner list a in its annotation {SHARE_WITH}.",
        {**_taking("b/token"), "+token": _source("b")},
        _NAME_ANOTHER,
        _SHARE,
    ),
    row(
        f"there is no Secret b/token of type {PROVIDER_TOKEN_TYPE} that the platform shares with a. Name another, or",
        {**_taking("b/token"), "+token": _source("b"), **_PLATFORMS_GATEWAY},
        _NAME_ANOTHER,
        _SHARE,
        settings=Settings(tenancy="isolated", platform_namespaces=frozenset({"b"})),
    ),
    row(
        "Secret a/token gives nothing:",
        {**_taking("token"), "+token": _source(), "+token data": {}},
        {"+token data": {"token": "dA=="}},
    ),
    row(
        "a new token there does not reach it. Remove the entry from the key's Secret.",
        {**_taking("token"), "+token": _source(), "key data token": "b3du"},
        {"key data": {"api-key": "a2V5LW9uZQ=="}},
    ),
)
