"""What a trial runs: an upstream, proxies that follow a config file, and the file, all as processes of their own."""

from __future__ import annotations

import http.client
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from examples.demo.processes import Program
from tests.cluster.ports import stable_ports
from tests.proxy.io.bench import CREDENTIAL, PORT, guarded
from wardgate.ir import GatewayConfig
from wardgate.standalone.handover.bundle_file import write_bundle
from wardgate.wire.encode import encode

START_SECONDS = 60.0
_AT_ONCE = ("timeouts.shutdown_delay=0",)
_PROXY = (sys.executable, "-m", "wardgate", "proxy", "--no-access-log", "--bind", "127.0.0.1")


class Upstream:
    """The provider's process, which can be killed and started again at the same port."""

    def __init__(self) -> None:
        (self.port,) = stable_ports(1)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.program = Program(sys.executable, "-m", "benchmarks.soak.provider", str(self.port))
        self.program.wait_for("serving", seconds=START_SECONDS)

    def stop(self) -> None:
        """End it."""
        self.program.stop()


class Proxy:
    """A ``wardgate proxy``, which can be ended and started again at the same port."""

    def __init__(self, config: Path, *, workers: int, settings: Sequence[str]) -> None:
        self.port, self.admin = stable_ports(2)
        self._command = [*_PROXY, "--config", str(config), "--workers", str(workers), "--port", f"{PORT}={self.port}"]
        self._command += ["--admin", f"127.0.0.1:{self.admin}"]
        for setting in settings:
            self._command += ["--set", setting]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.program = Program(*self._command)
        wait_until(lambda: self.is_ready, "the proxy is ready")

    def stop(self) -> int:
        """End it with SIGTERM; return its exit status."""
        return self.program.stop()

    @property
    def is_ready(self) -> bool:
        """Whether ``/readyz`` says so."""
        return self.page("/readyz")[0] == http.client.OK

    def page(self, path: str) -> tuple[int, bytes]:
        """Fetch an admin page: its status, 0 where nobody answers, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def serves(self, revision: str) -> bool:
        """Whether every worker serves this config."""
        status, body = self.page("/revision")
        return status == http.client.OK and set(json.loads(body)["workers"]) == {revision}

    @property
    def workers(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        own = self.program.process_id
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return tuple(int(child) for child in children if b"proxy.worker" in _command_line(child))

    def memory(self) -> int:
        """Return the bytes of memory that the workers have in use."""
        return sum(_resident_bytes(worker) for worker in self.workers)


def _command_line(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _resident_bytes(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Estate:
    """``config`` is what the proxies follow; ``serve`` puts another one in its place."""

    upstream: Upstream
    proxies: tuple[Proxy, ...]
    config: Path

    def serve(self, new: GatewayConfig) -> str:
        """Write another config; return its revision."""
        bundle = encode(new)
        write_bundle(self.config, bundle)
        return bundle.revision

    def serve_lab(self, *, name: str = "key") -> str:
        """Write the lab's config, with its key under a name; return its revision."""
        return self.serve(guarded(self.upstream.port, credentials=(replace(CREDENTIAL, name=name),)))


def lab(port: int) -> GatewayConfig:
    """One route behind an API key, to the upstream at a port."""
    return guarded(port, credentials=(CREDENTIAL,))


@contextmanager
def running(*, proxies: int = 1, workers: int = 1, settings: Sequence[str] = _AT_ONCE) -> Iterator[Estate]:
    """Run an upstream and proxies for the time of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wardgate-soak-")))
        upstream = Upstream()
        stack.callback(upstream.stop)
        config = folder / "config.json"
        write_bundle(config, encode(lab(upstream.port)))
        made = []
        for _ in range(proxies):
            proxy = Proxy(config, workers=workers, settings=settings)
            stack.callback(proxy.stop)
            made.append(proxy)
        yield Estate(upstream, tuple(made), config)


def wait_until(probe: Callable[[], bool], what: str, *, seconds: float = START_SECONDS) -> None:
    """Wait for something; raise ``TimeoutError`` where it does not come about."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            msg = f"Not within {seconds:.0f} s: {what}."
            raise TimeoutError(msg)
        time.sleep(0.02)
