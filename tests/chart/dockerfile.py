"""Reads the Dockerfile, and follows the steps of a stage in a folder: no engine, no root, nothing outside the folder.

What an absolute path in the image is, is a path below the folder. Knows the instructions that this Dockerfile uses.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.chart.helm import ROOT

COMPILES = " -m hatchling build "
STEP_SECONDS = 1800.0
OURS = ("/opt/wardgate", "/build")
"""The image's folders that the steps write to."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything from one ``FROM`` to the next."""

    base: str
    instructions: tuple[Instruction, ...]

    def only(self, name: str) -> str:
        """Give the text of an instruction that stands once."""
        (text,) = [each.text for each in self.instructions if each.name == name]
        return text

    def environment(self) -> dict[str, str]:
        """Give what its ``ENV`` instructions set, as written."""
        pairs = [pair for each in self.instructions if each.name == "ENV" for pair in shlex.split(each.text)]
        return dict(pair.split("=", 1) for pair in pairs)


def read_dockerfile(path: Path = ROOT / "Dockerfile") -> list[Stage]:
    """Give the stages, first the build."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    instructions = [
        Instruction(*re.split(r"\s+", line, maxsplit=1))
        for line in "\n".join(lines).replace("\\\n", " ").splitlines()
        if line.strip()
    ]
    starts = [place for place, each in enumerate(instructions) if each.name == "FROM"]
    return [
        Stage(instructions[start].text.split()[0], tuple(instructions[start + 1 : end]))
        for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True)
    ]


@dataclass(slots=True)
class Follower:
    """Follows a stage below ``root``, in an environment where ``python3`` is the base image's.

    ``context`` is the folder that ``COPY`` copies from. With ``wheel`` nothing is compiled, which takes minutes: it is
    taken instead, and of that step only the tools are tried.
    """

    root: Path
    base: Mapping[str, str]
    context: Path = ROOT
    wheel: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"

    def follow(self, stage: Stage) -> None:
        """Take every step."""
        self.variables.update(stage.environment())
        for each in stage.instructions:
            match each.name:
                case "WORKDIR":
                    self.folder = each.text
                    self.inside(each.text).mkdir(parents=True)
                case "COPY":
                    self._copy(*shlex.split(each.text))
                case "RUN" if self.wheel is not None and COMPILES in each.text:
                    self._run(f"{each.text.split(COMPILES)[0]} -c 'import hatchling, mypyc.build, setuptools'")
                    self.inside("/build/dist").mkdir()
                    shutil.copy2(self.wheel, self.inside("/build/dist"))
                case "RUN":
                    self._run(each.text)

    def inside(self, path: str) -> Path:
        """Give where a path of the image is."""
        return self.root / path.lstrip("/")

    def _copy(self, *paths: str) -> None:
        *sources, target = paths
        for source in sources:
            assert is_in_context(source), f"{source} is kept out by .dockerignore."
            place = self.inside(self.folder) / target
            if source.endswith("/"):
                shutil.copytree(self.context / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(exist_ok=True)
                shutil.copy2(self.context / source, place)

    def _run(self, command: str) -> None:
        for folder in OURS:
            command = re.sub(rf"(?<![\w.]){folder}\b", str(self.inside(folder)), command)
        ended = subprocess.run(
            ["/bin/sh", "-e", "-c", command],
            cwd=self.inside(self.folder),
            env={**self.base, **self.variables},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert 0 == ended.returncode, f"{command}\n{ended.stdout}{ended.stderr}"


def is_in_context(source: str) -> bool:
    """Tell whether ``.dockerignore``, which lets in what it names, names it."""
    return f"!{source.split('/', maxsplit=1)[0]}" in (ROOT / ".dockerignore").read_text().split()


def outside_environment(python: Path) -> dict[str, str]:
    """Give the environment of a step: the one of this process without its Python, and with this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "COV"))}
    return {**kept, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
