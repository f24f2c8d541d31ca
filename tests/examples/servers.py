"""The stand-in provider and ``wardgate run`` as the tests start them, and what a test asks of each."""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from examples.demo.processes import Program, python

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
HOSTS = ("api-inference.huggingface.co", "router.huggingface.co", "api.openai.com", "api.anthropic.com")
START_SECONDS = 60.0
LIVE_SECONDS = 10.0
"""A change to a file must be live by then; the product promises 0.2 s, a loaded test machine may need more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body)


def ask(connection: http.client.HTTPConnection, method: str, path: str, **kwargs: Any) -> Answer:
    """Send one request on a connection of its own."""
    try:
        connection.request(method, path, **kwargs)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()


class Provider:
    """A running stand-in. It shows credentials in full, because the tests compare them."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.ca_file = folder / "provider-ca.pem"
        names = [flag for host in (*HOSTS, "127.0.0.1") for flag in ("--host", host)]
        self.program = Program(
            *python(str(EXAMPLES / "provider"), "--port", "0", "--ca-file", str(self.ca_file), *names),
            *("--show-tokens", "--delay", "0", *flags),
        )
        line = self.program.wait_for("provider: serving", seconds=START_SECONDS)
        self.port = int(line.split(" as ")[0].rpartition(":")[2])

    def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        """Ask the provider itself, past the gateway."""
        context = ssl.create_default_context(cafile=self.ca_file)
        return ask(
            http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30), method, path, **kwargs
        )

    def received(self) -> list[dict[str, Any]]:
        """Give every request that arrived, oldest first."""
        records = self.ask("GET", "/__received").json()
        assert isinstance(records, list)
        return records

    def last_headers(self) -> dict[str, list[str]]:
        """Give the headers of the last request that arrived, each with all its values."""
        headers: dict[str, list[str]] = {}
        for name, value in self.received()[-1]["headers"]:
            headers.setdefault(name, []).append(value)
        return headers


class StandIn(Protocol):
    """Who answers in the providers' place, on a port of this machine, and whose certificate is to be trusted."""

    ca_file: Path

    @property
    def port(self) -> int: ...


class Gateway:
    """A running ``wardgate run`` whose providers are all the stand-in."""

    def __init__(self, folder: Path, provider: StandIn) -> None:
        pins = [flag for host in HOSTS for flag in ("--resolve", f"{host}:443=127.0.0.1:{provider.port}")]
        self.program = Program(
            *(str(Path(sys.executable).parent / "wardgate"), "run", str(folder), "--bind", "127.0.0.1"),
            *("--port", "8081=0", "--admin", "none", "--upstream-ca", str(provider.ca_file), *pins),
        )
        line = self.program.wait_for("serves at http://", seconds=START_SECONDS)
        self.program.wait_for("live in", seconds=START_SECONDS)
        self.port = int(line.rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        """Send one request through the gateway."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), method, path, **kwargs)

    def ask_until(self, wanted: Callable[[Answer], bool], method: str, path: str, **kwargs: Any) -> Answer:
        """Send it again and again until the answer is the wanted one, or give the last one when the time is up."""
        deadline = time.monotonic() + LIVE_SECONDS
        answer = self.ask(method, path, **kwargs)
        while not wanted(answer) and time.monotonic() < deadline:
            answer = self.ask(method, path, **kwargs)
        return answer
