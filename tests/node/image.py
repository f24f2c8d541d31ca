"""The product's image without an engine: the Dockerfile's steps, followed as root on a base that debootstrap makes.

A stage's file system is an overlay: Debian's base, above it the compiler and pip, and the steps' own files on top.
Mounts are made in a mount namespace that ends with each step. The image is an archive as ``docker save`` writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chart.dockerfile import Follower, Stage, read_dockerfile
from tests.cluster.binaries import CACHE, to_stderr
from tests.node.archive import tree_layer, write_image
from tests.node.requirements import CannotRunError, require_packages, require_root

Say = Callable[[str], None]

SUITE: Final = "bookworm"
MIRROR: Final = "http://deb.debian.org/debian"
BASE_PACKAGES: Final = ("ca-certificates", "python3")
BUILD_PACKAGES: Final = ("gcc", "libc6-dev", "python3-dev", "python3-pip")
"""What the base image has besides, and what its build stage installs."""
UNNEEDED: Final = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "var/cache",
    "var/lib/apt",
    "dev",
    "proc",
    "sys",
)
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
STEP_SECONDS: Final = 1800.0
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAME: Final = "wardgate.dev/wardgate:e2e"


class ImageError(Exception):
    """A step failed. The message holds what it said."""


@dataclass(slots=True)
class OverlayFollower(Follower):
    """Follows a stage as root, on ``below``; ``root`` gets the steps' own files."""

    below: Sequence[Path] = ()

    def _run(self, command: str) -> None:
        run_inside(self.below, self.root, f"cd {self.folder}\n{command}", self.variables)


def build_image(target: Path, *, name: str, wheel: Path | None, say: Say) -> None:
    """Write the archive of the product's image. A ``wheel`` that the base's Python cannot install is not used."""
    require_root()
    require_packages(("debootstrap", "util-linux"))
    started = time.monotonic()
    base, tools = _base(say=say)
    build, image = read_dockerfile()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="unfinished-") as scratch:
        given = wheel if wheel is not None and _fits(wheel, base) else None
        follower = OverlayFollower(Path(scratch) / "root", {}, below=(tools, base), wheel=given)
        follower.root.mkdir()
        say(f"Following the Dockerfile, {'compiling' if given is None else 'with the wheel that is compiled'}.")
        follower.follow(build)
        _pack(Path(scratch), follower, stage=image, name=name)
        (Path(scratch) / "image.tar").rename(target)
    say(f"The image is {target}, {target.stat().st_size / 1e6:.0f} MB, after {time.monotonic() - started:.0f} s.")


def run_inside(below: Sequence[Path], above: Path, script: str, variables: Mapping[str, str]) -> None:
    """Run a script with an overlay of these folders as its root; ``above`` gets what it writes."""
    with tempfile.TemporaryDirectory(dir=above.parent, prefix="overlay-") as scratch:
        work, merged = Path(scratch) / "work", Path(scratch) / "merged"
        work.mkdir()
        merged.mkdir()
        lower = ":".join(map(str, below))
        outer = [
            f"mount -t overlay overlay -o lowerdir={lower},upperdir={above},workdir={work} {merged}",
            f"cp {CERTIFICATES} {merged}{CERTIFICATES}",
            f"cp /etc/resolv.conf {merged}/etc/resolv.conf",
            f"mount -t proc proc {merged}/proc",
            f"mount --rbind /dev {merged}/dev",
            f"exec chroot {merged} /bin/sh -e -c {shlex.quote(script)}",
        ]
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
        environment = {"PATH": PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **kept, **variables}
        ended = subprocess.run(
            ["unshare", "--mount", "sh", "-ec", "\n".join(outer)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise ImageError(f"{script}\n{ended.stdout[-4000:]}{ended.stderr[-4000:]}")


def _base(*, say: Say) -> tuple[Path, Path]:
    """Give the base image's root, and what the build has besides: made once, kept in the cache."""
    recipe = json.dumps([SUITE, MIRROR, BASE_PACKAGES, BUILD_PACKAGES])
    folder = CACHE / "image" / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    base, tools = folder / "base", folder / "tools"
    if not folder.is_dir():
        say("Making the image's base with debootstrap, once (about a minute).")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as scratch:
            unfinished = Path(scratch) / "roots"
            (unfinished / "tools").mkdir(parents=True)
            _debootstrap(unfinished / "base")
            install = f"apt-get update -q\napt-get install -q --yes --no-install-recommends {' '.join(BUILD_PACKAGES)}"
            run_inside([unfinished / "base"], unfinished / "tools", install, {})
            unfinished.rename(folder)
    return base, tools


def _debootstrap(root: Path) -> None:
    # It mounts below the root, which ends with its own mount namespace.
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={','.join(BASE_PACKAGES)}"]
    ended = subprocess.run(
        [*command, SUITE, str(root), MIRROR], capture_output=True, text=True, timeout=STEP_SECONDS, check=False
    )
    if ended.returncode:
        raise ImageError(f"debootstrap failed:\n{ended.stdout[-4000:]}{ended.stderr[-2000:]}")


def _fits(wheel: Path, base: Path) -> bool:
    """Tell whether a wheel is for the base's Python on this machine."""
    (python,) = (base / "usr" / "bin").glob("python3.*[0-9]")
    tag = "cp" + python.name.removeprefix("python").replace(".", "")
    return f"-{tag}-{tag}-" in wheel.name and wheel.name.endswith(f"_{os.uname().machine}.whl")


def _pack(scratch: Path, build: OverlayFollower, *, stage: Stage, name: str) -> None:
    """Write the image of the last stage: the base, and the environment that it copies from the build."""
    assert "--from=build /opt/wardgate /opt/wardgate" == stage.only("COPY")
    layers = [scratch / "base.tar", scratch / "environment.tar"]
    tree_layer(build.below[-1], layers[0], without=UNNEEDED)
    tree_layer(build.root, layers[1], only=("opt/wardgate",))
    config = {
        "User": stage.only("USER"),
        "Entrypoint": json.loads(stage.only("ENTRYPOINT")),
        "Env": [f"{key}={value.replace('${PATH}', PATH)}" for key, value in stage.environment().items()],
    }
    write_image(scratch / "image.tar", name=name, layers=layers, config=config)


def main(arguments: Sequence[str]) -> int:
    """``python -m tests.node.image TARGET [WHEEL]``."""
    target, *wheels = map(Path, arguments)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        build_image(target.absolute(), name=NAME, wheel=wheels[0].absolute() if wheels else None, say=to_stderr)
    except (ImageError, CannotRunError) as error:
        to_stderr(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
