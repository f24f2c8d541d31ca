"""The real programs that tests run: etcd, kube-apiserver and kubectl, helm, kstatus, and an evaluator
of CEL.

``KUBEBUILDER_ASSETS`` names a folder that has the first three already; otherwise each set is built once, from the small
Go module beside the tests that pins its sources by hash, into the git-ignored ``.cache``. ``python -m
tests.cluster.binaries`` builds ahead. A build is seen only when it is complete, and two processes that want the same
build at once share one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.go_toolchain import NoGoError, find_go

TESTS = Path(__file__).parents[1]
CACHE = TESTS.parent / ".cache"
KUBERNETES = "v1.36.3"
NEWS_SECONDS = 20.0
BUILD_SECONDS = 2400.0
"""A cold build takes five minutes on two cores, most of it compiling; slow networks and one core need more."""


class BuildError(Exception):
    """A program could not be built. The message holds what Go said and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One Go program: its module's folder, what to build there, and the names it is called by."""

    module: Path
    package: str
    links: tuple[str, ...]
    purpose: str
    duration: str
    stamps: tuple[str, ...] = ()
    """Variables that the linker sets, ``path.name=value``."""

    def fingerprint(self) -> str:
        """Hash everything that decides what the build yields, but the Go version."""
        digest = hashlib.sha256()
        own = (self.module / self.package).glob("*.go")
        for path in sorted([*own, self.module / "go.mod", self.module / "go.sum"]):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
        digest.update("\0".join((self.package, *self.links, *self.stamps)).encode())
        return digest.hexdigest()[:16]


VERSION_STAMPS = tuple(
    f"{package}.{name}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name, value in (("gitVersion", KUBERNETES), ("gitMajor", "1"), ("gitMinor", "36"))
)
CONTROL_PLANE = Program(
    module=TESTS / "controlplane",
    package=".",
    links=("etcd", "kube-apiserver", "kubectl"),
    purpose="The tests run against a real Kubernetes API server",
    duration="about 5 minutes on two cores, with 0.6 GB of sources downloaded",
    stamps=VERSION_STAMPS,
)
NODE = Program(
    module=TESTS / "controlplane",
    package="./node",
    links=("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"),
    purpose="A node runs real pods",
    duration="about 2 minutes on two cores after the API server, whose packages it shares",
    stamps=VERSION_STAMPS,
)
PAUSE = Program(
    module=TESTS / "controlplane",
    package="./pause",
    links=("pause",),
    purpose="A node's first process, and each pod's",
    duration="seconds",
)
COREDNS = Program(
    module=TESTS / "coredns",
    package=".",
    links=("coredns",),
    purpose="A node's pods ask it for names",
    duration="about 1 minute on two cores",
)
HELM = Program(
    module=TESTS / "helm",
    package="helm.sh/helm/v4/cmd/helm",
    links=("helm",),
    purpose="The tests render and install the chart with the real Helm",
    duration="about 1.5 minutes on two cores",
    stamps=("helm.sh/helm/v4/internal/version.version=v4.2.4",),
)
ACTIONLINT = Program(
    module=TESTS / "actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    links=("actionlint",),
    purpose="A rehearsal of the release reads its workflows",
    duration="half a minute",
)

KSTATUS = Program(
    module=TESTS / "kstatus",
    package=".",
    links=("kstatus",),
    purpose="The tests ask kstatus, by whose rules Flux and Helm wait, what it thinks of our statuses",
    duration="a quarter of a minute on two cores, once the others are built",
)

CEL = Program(
    module=TESTS / "cel",
    package=".",
    links=("cel",),
    purpose="The tests evaluate the health checks of the example for Flux",
    duration="a quarter of a minute on two cores, once the others are built",
)


def control_plane_binaries(*, say: Callable[[str], None]) -> Path:
    """Give a folder with ``etcd``, ``kube-apiserver`` and ``kubectl``."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return built(CONTROL_PLANE, say=say)
    missing = [name for name in CONTROL_PLANE.links if not os.access(Path(assets) / name, os.X_OK)]
    if missing:
        raise BuildError(
            f"KUBEBUILDER_ASSETS is {assets}, which has no {' and no '.join(missing)}: unset it, or fill it."
        )
    return Path(assets)


def helm_binary(*, say: Callable[[str], None]) -> Path:
    """Give the path of ``helm``."""
    return built(HELM, say=say) / "helm"


def kstatus_binary(*, say: Callable[[str], None]) -> Path:
    """Give the path of ``kstatus``: a JSON list of objects in, a JSON list of verdicts out."""
    return built(KSTATUS, say=say) / "kstatus"


def cel_binary(*, say: Callable[[str], None]) -> Path:
    """Give the path of ``cel``: expressions and objects in, their results out."""
    return built(CEL, say=say) / "cel"


def built(program: Program, *, say: Callable[[str], None], cache: Path = CACHE) -> Path:
    """Give the folder with a program's names, building it first if this version of it never was."""
    folder = cache / program.module.name / program.fingerprint()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "build.lock", say=say):
            if not folder.is_dir():
                _build(program, folder, cache=cache, say=say)
    return folder


def _build(program: Program, folder: Path, *, cache: Path, say: Callable[[str], None]) -> None:
    names = ", ".join(program.links)
    say(f"{program.purpose}: building {names} from tests/{program.module.name}, once ({program.duration}).")
    started = time.monotonic()
    try:
        go = find_go(cache, say=say)
    except NoGoError as error:
        raise BuildError(str(error)) from error
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as scratch:
        unfinished = Path(scratch) / "bin"
        unfinished.mkdir()
        _compile(program, go, unfinished / program.links[0], say=say)
        for link in program.links[1:]:
            (unfinished / link).symlink_to(program.links[0])
        unfinished.rename(folder)
    say(f"Built {names} in {time.monotonic() - started:.0f} s: {folder}")


def _compile(program: Program, go: Path, target: Path, *, say: Callable[[str], None]) -> None:
    linker = " ".join(("-s", "-w", *(f"-X {stamp}" for stamp in program.stamps)))
    command = [str(go), "build", "-v", "-trimpath", "-mod=readonly", "-ldflags", linker, "-o", str(target)]
    settings = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    environment = {"HOME": str(CACHE), **os.environ, **settings}
    log = target.with_name("log")
    with log.open("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            [*command, program.package], cwd=program.module, env=environment, stdout=output, stderr=output
        )
        try:
            _follow(process, log, say=say)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        said = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
        raise BuildError(
            f"{' '.join(program.links)} failed to build in {program.module} with {go} (status {process.returncode}). "
            "Where Go's modules cannot be had, set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and "
            f"kubectl. Go said at the end:\n{said}"
        )
    log.unlink()


def _follow(process: subprocess.Popen[bytes], log: Path, *, say: Callable[[str], None]) -> None:
    """Wait for the build's end and tell every 20 seconds how far it is."""
    started = time.monotonic()
    while (seconds := time.monotonic() - started) < BUILD_SECONDS:
        try:
            process.wait(NEWS_SECONDS)
        except subprocess.TimeoutExpired:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            downloads = sum(line.startswith("go: downloading") for line in lines)
            packages = len(lines) - downloads
            so_far = f"{downloads} modules fetched, {packages} packages compiled"
            say(f"  still building, {seconds + NEWS_SECONDS:.0f} s: {so_far}")
        else:
            return
    raise BuildError(f"The build was not done after {BUILD_SECONDS / 60:.0f} minutes and was ended.")


@contextmanager
def _locked(path: Path, *, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the cache's lock, which the kernel frees when we die."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is building the tests' programs; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def to_stderr(line: str) -> None:
    """Say it to whoever sits at the terminal."""
    print(line, file=sys.__stderr__, flush=True)


def main() -> int:
    """Build what is not built yet."""
    try:
        control_plane_binaries(say=to_stderr)
        helm_binary(say=to_stderr)
        kstatus_binary(say=to_stderr)
        cel_binary(say=to_stderr)
    except BuildError as error:
        to_stderr(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
