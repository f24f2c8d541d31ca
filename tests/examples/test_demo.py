"""``make demo``: the lines it prints do what it says they do."""

from __future__ import annotations

import argparse
import http.client
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from examples.demo.processes import Program, python
from examples.demo.tries import tries
from tests.cluster.ports import free_port
from tests.examples.servers import EXAMPLES, START_SECONDS, Provider, ask

pytestmark = pytest.mark.slow

FOLDER = str(EXAMPLES / "demo")


@dataclass(frozen=True, slots=True)
class Demo:
    program: Program
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/huggingface"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    port = free_port()
    with Program(*python(FOLDER, "--port", str(port), "--show-tokens")) as program:
        program.wait_for("Ctrl-C ends", seconds=START_SECONDS)
        yield Demo(program, port)


def run(line: str) -> str:
    """Run a line that the demo printed, in place of the reader; where ``curl`` is missing, do what it would do."""
    if shutil.which("curl") is None:
        return without_curl(shlex.split(line)[1:])
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def without_curl(arguments: list[str]) -> str:
    parser = argparse.ArgumentParser()
    for flag in ("-sS", "-i"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url")
    options = parser.parse_args(arguments)
    url = urlsplit(options.url)
    assert url.hostname is not None
    headers = dict(header.split(": ", 1) for header in options.H)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    answer = ask(connection, "POST" if options.d else "GET", url.path, body=options.d, headers=headers)
    return f"HTTP/1.1 {answer.status} \r\n\r\n{answer.body.decode()}"


def test_the_lines_can_be_run_without_curl(demo: Demo) -> None:
    for offered in tries(demo.url):
        assert without_curl(list(offered.arguments)).startswith(f"HTTP/1.1 {offered.status} ")


@pytest.mark.parametrize("number", range(4))
def test_a_printed_line_has_the_promised_outcome(demo: Demo, number: int) -> None:
    offered = tries(demo.url)[number]
    printed = "\n".join(demo.program.lines)
    assert offered.command_line() in printed
    assert run(offered.command_line()).startswith(f"HTTP/1.1 {offered.status} ")


def test_the_provider_sees_its_token_and_nothing_of_the_caller(demo: Demo) -> None:
    for offered in tries(demo.url)[2:]:
        said = run(offered.command_line())
        assert '["authorization", "Bearer hf_not-a-real-token-4f1c"]' in said
        assert "mysecretkey" not in said
        assert "forged" not in said


def test_a_token_is_not_shown_unless_asked_for() -> None:
    port = free_port()
    with Program(*python(FOLDER, "--port", str(port))) as program:
        program.wait_for("Ctrl-C ends", seconds=START_SECONDS)
        said = run(tries(f"http://127.0.0.1:{port}/huggingface")[2].command_line())
    assert "Bearer hf_n...[24 characters]" in said
    assert "not-a-real-token" not in said + "\n".join(program.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_gateway_and_provider(number: signal.Signals) -> None:
    port = free_port()
    with Program(*python(FOLDER, "--port", str(port))) as program:
        program.wait_for("Ctrl-C ends", seconds=START_SECONDS)
        program.send(number)
        assert 0 == program.wait(seconds=30)
    assert 1 == sum("stopping" in line for line in program.lines)
    with Program(*python(FOLDER, "--port", str(port))) as again:
        again.wait_for("Ctrl-C ends", seconds=START_SECONDS)


def test_a_port_that_is_taken_ends_the_demo_with_a_remedy(provider: Provider) -> None:
    with Program(sys.executable, "-u", FOLDER, "--port", str(provider.port)) as program:
        program.wait_for("try another: make demo PORT=", seconds=START_SECONDS)
        assert 1 == program.wait(seconds=30)
