"""Labs 1 to 8 of the workshop in one folder: served end to end, and nothing untrue is printed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from examples.demo.processes import Program
from tests.cluster.ports import stable_ports
from tests.documents.desk import BIN
from tests.examples.servers import START_SECONDS, Answer, Provider, ask

pytestmark = pytest.mark.slow

WORKSHOP = Path(__file__).parent / "workshop"
TOKEN = "hf_not-a-real-token-4f1c"
BOUTIQUE = (
    "frontend.online-boutique.svc.cluster.local:80",
    "productcatalogservice.online-boutique.svc.cluster.local:3555",
)


class Shop(BaseHTTPRequestHandler):
    """A Service of the boutique; the test asks it for nothing but its answer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"shop")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def boutique() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever, name="boutique")
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Workshop:
    """The gateway that serves the folder: port 80 for the boutique, 8081 for the AI route."""

    def __init__(self, provider: Provider, boutique: int, *flags: str) -> None:
        self.boutique, self.ai = stable_ports(2)
        pins = [f"api-inference.huggingface.co:443=127.0.0.1:{provider.port}"]
        pins += [f"{service}=127.0.0.1:{boutique}" for service in BOUTIQUE]
        self.program = Program(
            *(str(BIN / "wardgate"), "run", str(WORKSHOP), "--admin", "none", "--upstream-ca", str(provider.ca_file)),
            *("--port", f"80={self.boutique}", "--port", f"8081={self.ai}"),
            *(flag for pin in pins for flag in ("--resolve", pin)),
            *flags,
        )
        self.program.wait_for("live in", seconds=START_SECONDS)

    def ask(self, port: int, path: str, **headers: str) -> Answer:
        return ask(HTTPConnection("127.0.0.1", port, timeout=30), "GET", path, headers=headers)


@pytest.fixture(scope="module")
def workshop(provider: Provider, boutique: int) -> Iterator[Workshop]:
    started = Workshop(provider, boutique)
    with started.program:
        yield started


def test_the_ai_route_takes_the_caller_s_key_and_sends_the_token(workshop: Workshop, provider: Provider) -> None:
    assert 401 == workshop.ask(workshop.ai, "/huggingface").status
    assert 200 == workshop.ask(workshop.ai, "/huggingface", **{"api-key": "mysecretkey", "x-api-key": "forged"}).status
    assert [f"Bearer {TOKEN}"] == provider.last_headers()["authorization"]


def test_the_products_ask_for_the_key_of_lab_five(workshop: Workshop) -> None:
    assert 401 == workshop.ask(workshop.boutique, "/products").status
    answer = workshop.ask(workshop.boutique, "/products", **{"x-api-key": "made-up-admin-key"})
    assert (200, b"shop") == (answer.status, answer.body)


def test_what_lab_seven_alone_guards_is_closed(workshop: Workshop) -> None:
    assert 403 == workshop.ask(workshop.boutique, "/").status
    workshop.program.wait_for('"reason":"foreign_guard"', seconds=START_SECONDS)


def test_an_owner_may_open_it(provider: Provider, boutique: int) -> None:
    opened = Workshop(provider, boutique, "--foreign-guards", "ignore")
    with opened.program:
        assert (200, b"shop") == ((answer := opened.ask(opened.boutique, "/")).status, answer.body)
        assert 401 == opened.ask(opened.boutique, "/products").status
