"""CPU that a worker spends on a request, beside another checkout of Wardgate in the same run.

Both serve the lab with one worker, in clear on both sides, for the same load, in turn: rounds A, B, A, B. The figure is
the worker's own time on a processor, as the kernel accounts for it; the load and the upstream are not in it. Quote the
ratio, pair by pair: the machine's speed drifts.

    python -m benchmarks.requests --peer ../another-checkout [--rounds 15] [--requests 4000] [--access-log this]

The peer's environment must be installed (``make install`` there). ``--access-log both`` has both write their access
log; with ``this`` and this checkout as its own peer the ratio is the cost of the log.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.gateways.process import cpu_seconds
from examples.demo.processes import Program
from tests.cluster.ports import stable_ports

HERE = Path(__file__).resolve().parents[1]
CONNECTIONS = 32
START_SECONDS = 60.0
ROUND_SECONDS = 120.0
BODY = b'{"answer": "42"}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n" + BODY
HEADERS = (
    b"host: gateway.test\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\nuser-agent: OpenAI/Python\r\n"
    b"content-type: application/json\r\nx-stainless-lang: python\r\nx-stainless-os: Linux\r\nx-stainless-arch: x64\r\n"
    b"x-stainless-runtime: CPython\r\ncookie: theme=dark; session=5f2c9a\r\napi-key: mysecretkey\r\n"
)


def same(_: int) -> bytes:
    """The same request again."""
    return b"GET /huggingface?stream=false HTTP/1.1\r\n" + HEADERS + b"\r\n"


def differing(number: int) -> bytes:
    """A POST whose body, length and trace differ each time."""
    body = b'{"inputs": "' + b"Hello " * (number % 40) + b'"}'
    trace = b"traceparent: 00-%032x-%016x-01\r\ncontent-length: %d\r\n\r\n" % (number, number, len(body))
    return b"POST /huggingface HTTP/1.1\r\n" + HEADERS + trace + body


LOADS: dict[str, Callable[[int], bytes]] = {"same request": same, "differing POST": differing}


@dataclass(frozen=True, slots=True)
class Served:
    """One checkout's gateway: where it listens, and the process whose time counts."""

    port: int
    worker: int

    def cpu_seconds(self) -> float:
        """Return the time that all threads of the worker have had on a processor."""
        return cpu_seconds(self.worker)


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the response is whole; a response ends with the upstream's body."""

    def __init__(self, requests: Iterator[bytes], ended: Callable[[], None]) -> None:
        self._requests, self._ended = requests, ended
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._got.endswith(BODY):
            if not self._got.startswith(b"HTTP/1.1 200"):
                raise AssertionError(self._got)
            self._got = b""
            self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._ended()
        else:
            self._transport.write(request)


class Upstream(asyncio.Protocol):
    """Answers every request with the same bytes. The gateway sends a request's head and body in one piece or two."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        if len(body) >= int(length or 0):
            self._got = b""
            self._transport.write(ANSWER)


async def load(port: int, make: Callable[[int], bytes], requests: int) -> None:
    """Send so many requests over ``CONNECTIONS`` connections."""
    loop = asyncio.get_running_loop()
    done, left = loop.create_future(), CONNECTIONS
    numbers = count(1)
    each = (make(next(numbers)) for _ in range(requests))

    def ended() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set_result(None)

    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(each, ended), "127.0.0.1", port)
    async with asyncio.timeout(ROUND_SECONDS):
        await done


def serve(stack: ExitStack, checkout: Path, folder: Path, upstream: int, *flags: str, log: bool = False) -> Served:
    """Start a checkout's gateway on the lab with one worker."""
    (port,) = stable_ports(1)
    command = [str(checkout / ".venv" / "bin" / "wardgate"), "run", str(folder), "--workers", "1"]
    command += ["--access-log" if log else "--no-access-log"]
    command += ["--port", f"8081={port}", "--admin", "127.0.0.1:0"]
    command += ["--resolve", f"api-inference.huggingface.co:80=127.0.0.1:{upstream}", *flags]
    program = stack.enter_context(Program(*command))
    program.wait_for("live in", seconds=START_SECONDS)
    children = Path(f"/proc/{program.process_id}/task/{program.process_id}/children").read_text().split()
    workers = [int(child) for child in children if b"tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
    return Served(port, workers[-1])


def lab_in_clear(folder: Path) -> None:
    """Write the lab's manifests, without TLS to the upstream."""
    for path in (HERE / "examples" / "huggingface").glob("*.yaml"):
        text = path.read_text().replace("number: 443", "number: 80").replace("protocol: HTTPS", "protocol: HTTP")
        (folder / path.name).write_text(text.replace("      clientsideTls: {}\n", ""))


async def measure(options: argparse.Namespace, served: dict[str, Served]) -> None:
    """Run the rounds and print a table."""
    for title, make in LOADS.items():
        figures: dict[str, list[float]] = {name: [] for name in served}
        for number in range(-1, options.rounds):
            for name, gateway in served.items():
                before = gateway.cpu_seconds()
                await load(gateway.port, make, options.requests)
                if number >= 0:
                    figures[name].append((gateway.cpu_seconds() - before) / options.requests * 1e6)
        ratios = [mine / theirs for mine, theirs in zip(*figures.values(), strict=True)]
        for name, values in figures.items():
            print(
                f"{title:16} {name:8} {statistics.median(values):7.1f} µs of CPU a request (lowest {min(values):.1f})"
            )
        print(
            f"{title:16} ratio    {statistics.median(ratios):7.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True
        )


async def run(options: argparse.Namespace) -> None:
    """Serve both checkouts and measure them."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[1]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wardgate-bench-")))
        lab_in_clear(folder)
        served = {
            "this": serve(stack, HERE, folder, upstream, log=options.access_log != "none"),
            "peer": serve(stack, options.peer.resolve(), folder, upstream, log=options.access_log == "both"),
        }
        await measure(options, served)


def main() -> int:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description="CPU of a request, beside another checkout.")
    parser.add_argument("--peer", type=Path, required=True, help="another checkout, installed with make install")
    parser.add_argument("--rounds", type=int, default=15, help="of each checkout (default 15)")
    parser.add_argument("--requests", type=int, default=4000, help="in a round (default 4000)")
    parser.add_argument("--access-log", choices=("none", "this", "both"), default="none", help="who writes one")
    options = parser.parse_args()
    uvloop.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
