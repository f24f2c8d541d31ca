"""The real Helm, and what it makes of the chart."""

from __future__ import annotations

import copy
import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "wardgate"
SECONDS = 60.0

Manifest: TypeAlias = dict[str, Any]
Values: TypeAlias = Mapping[str, object]


class HelmRefused(Exception):
    """Helm ended with an error; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Helm:
    """One ``helm`` program. Without a cluster: every command works on files."""

    path: Path

    def text(self, *arguments: str, values: Values | None = None) -> str:
        """Run a command with values beside the chart's own, and give what it prints. Raises ``HelmRefused``."""
        command = [str(self.path), *arguments]
        if values is not None:
            command += ["--values", "-"]
        ended = subprocess.run(
            command, input=json.dumps(values or {}), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if ended.returncode:
            raise HelmRefused(ended.stdout + ended.stderr)
        return ended.stdout

    def render(
        self,
        values: Values | None = None,
        *,
        release: str = "wardgate",
        namespace: str = "wardgate",
        crds: bool = False,
    ) -> list[Manifest]:
        """Render every document of the chart, once for the same values. Raises ``HelmRefused``."""
        flags = ("--include-crds",) if crds else ()
        arguments = ("template", release, str(CHART), "--namespace", namespace, *flags)
        return copy.deepcopy(_rendered(self, arguments, json.dumps(values or {})))


@functools.cache
def _rendered(helm: Helm, arguments: tuple[str, ...], values: str) -> list[Manifest]:
    text = helm.text(*arguments, values=json.loads(values))
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document is not None]


def of_kind(documents: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Give the documents of some kinds."""
    return [document for document in documents if document["kind"] in kinds]


def one(documents: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Give the only document of this kind and name."""
    (found,) = [document for document in of_kind(documents, kind) if document["metadata"]["name"] == name]
    return found


def container(documents: Sequence[Manifest], component: str) -> Manifest:
    """Give the container of a component's Deployment that has its name."""
    pod = one(documents, "Deployment", f"wardgate-{component}")["spec"]["template"]["spec"]
    (found,) = [each for each in pod["containers"] if each["name"] == component]
    assert isinstance(found, dict)
    return found
