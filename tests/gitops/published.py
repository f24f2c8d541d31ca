"""The schemas of the tools that the examples use, as these tools publish them: fetched by version and hash, never kept.

Argo CD, cert-manager and External Secrets ship their CRDs in their Go modules. Flux ships Go types, from which
``controller-gen`` makes its CRDs, as Flux itself does. All are Apache-2.0; 80 MB are fetched, into Go's own cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FETCH_SECONDS = 900.0
CONTROLLER_GEN = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1"


@dataclass(frozen=True, slots=True)
class Published:
    """A Go module, pinned, and its CRDs: files, or none where they are made from its types."""

    module: str
    version: str
    hash: str
    crds: tuple[str, ...] = ()


PUBLISHED = (
    Published(
        "github.com/argoproj/argo-cd/v3",
        "v3.5.7",
        "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        ("manifests/crds/application-crd.yaml", "manifests/crds/appproject-crd.yaml"),
    ),
    Published(
        "github.com/cert-manager/cert-manager",
        "v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
        ("deploy/crds/cert-manager.io_certificates.yaml", "deploy/crds/cert-manager.io_issuers.yaml"),
    ),
    Published(
        "github.com/external-secrets/external-secrets",
        "v1.3.2",
        "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        (
            "config/crds/bases/external-secrets.io_externalsecrets.yaml",
            "config/crds/bases/external-secrets.io_secretstores.yaml",
        ),
    ),
    Published("github.com/fluxcd/helm-controller/api", "v1.6.5", "h1:ElqM5KIpdUwVK1VSi1fXcMwOlf0LghuqwM2SwqaTyNs="),
    Published(
        "github.com/fluxcd/kustomize-controller/api", "v1.9.6", "h1:7XiuW+l3YYXWeIwLJ8w34zHlJyMUEKosBIxLIki9J3I="
    ),
    Published("github.com/fluxcd/source-controller/api", "v1.9.6", "h1:h9+CsJVw4CNbMEsnEb11SGEhLfKzVTkWC0w7M8VX4Hk="),
)


def crds(go: Path, scratch: Path) -> Iterator[Path]:
    """Fetch everything; give the path of each CRD."""
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOBIN": str(scratch / "bin"), "CGO_ENABLED": "0"}
    for one in PUBLISHED:
        folder = fetch(go, one, scratch)
        if one.crds:
            yield from (folder / name for name in one.crds)
            continue
        copy = scratch / one.module.replace("/", "-")
        shutil.copytree(folder, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        made = scratch / "crds" / copy.name
        if not (scratch / "bin" / "controller-gen").exists():
            _run([str(go), "install", CONTROLLER_GEN], scratch, environment)
        generate = [str(scratch / "bin" / "controller-gen"), "crd", "paths=./...", f"output:crd:dir={made}"]
        _run(generate, copy, environment)
        yield from sorted(made.glob("*.yaml"))


def fetch(go: Path, one: Published, scratch: Path) -> Path:
    """Give the folder of a module; raise ``ValueError`` if its content is not the one that is pinned."""
    answer = _run([str(go), "mod", "download", "-json", f"{one.module}@{one.version}"], scratch, dict(os.environ))
    told = json.loads(answer)
    if told["Sum"] != one.hash:
        raise ValueError(f"{one.module} {one.version} is {told['Sum']}, not {one.hash}.")
    return Path(told["Dir"])


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
    )
    if ended.returncode:
        raise AssertionError(f"{' '.join(command)}: status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout
