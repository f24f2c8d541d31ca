"""Tells the newest digest of the Dockerfile's base image, and with ``--write`` names it there by that digest.

``python3 -m release.base_image`` needs no package and no engine: it asks the registry, as a pull does. The digest is
that of the index of all architectures, so one Dockerfile serves amd64 and arm64.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"
NAMED = re.compile(r"^ARG BASE_IMAGE=([^:@\s]+):([^@\s]+)(?:@(sha256:[0-9a-f]{64}))?$", re.MULTILINE)
DOCKER_HUB = "https://registry-1.docker.io"
FORMS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
SECONDS = 30.0


def main() -> int:
    """Print the base image with its newest digest. Exit status 1: the registry gives none."""
    parser = argparse.ArgumentParser(prog="python3 -m release.base_image", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="name it in the Dockerfile by this digest")
    parser.add_argument("--registry", default=DOCKER_HUB, help="default: %(default)s")
    parser.add_argument("--dockerfile", type=Path, default=DOCKERFILE)
    options = parser.parse_args()
    text = options.dockerfile.read_text(encoding="utf-8")
    named = NAMED.search(text)
    if named is None:
        print(f"{options.dockerfile} has no line ARG BASE_IMAGE=NAME:TAG.", file=sys.stderr)
        return 1
    try:
        digest = newest_digest(options.registry, name=named[1], tag=named[2])
    except (OSError, ValueError) as error:
        print(f"{options.registry} gives no digest of {named[1]}:{named[2]}: {error}", file=sys.stderr)
        return 1
    pinned = f"{named[1]}:{named[2]}@{digest}"
    if options.write:
        options.dockerfile.write_text(NAMED.sub(f"ARG BASE_IMAGE={pinned}", text), encoding="utf-8")
    print(pinned)
    return 0


def newest_digest(registry: str, *, name: str, tag: str) -> str:
    """Ask a registry; official images have no owner in their name. Raises ``OSError`` or ``ValueError``."""
    path = name if "/" in name else f"library/{name}"
    url = f"{registry}/v2/{path}/manifests/{tag}"
    try:
        digest = _head(url, {})
    except urllib.error.HTTPError as refusal:
        if refusal.code != 401:
            raise
        digest = _head(url, {"Authorization": f"Bearer {_token(refusal.headers.get('WWW-Authenticate', ''))}"})
    if not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        msg = "the answer has no Docker-Content-Digest"
        raise ValueError(msg)
    return digest


def _head(url: str, headers: dict[str, str]) -> str:
    asked = urllib.request.Request(url, headers={"Accept": FORMS, **headers}, method="HEAD")  # noqa: S310
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310 - the registry that the caller names
        return str(answer.headers.get("Docker-Content-Digest", ""))


def _token(challenge: str) -> str:
    """Get the token for anybody, from where the challenge says."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.pop("realm", "")
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    with urllib.request.urlopen(f"{realm}?{query}", timeout=SECONDS) as answer:  # noqa: S310
        return str(json.load(answer)["token"])


if __name__ == "__main__":
    sys.exit(main())
