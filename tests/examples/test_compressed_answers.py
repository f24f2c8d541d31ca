"""A provider that compresses, behind a template that reads its answers: the SDKs ask for gzip, as they always do."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import InferenceClient

from examples.demo.processes import Program
from tests.examples.servers import START_SECONDS
from tests.proxy.core.http1.codings import ENCODERS, coded

pytestmark = pytest.mark.slow

HOST = "llm.example.com"
MANIFESTS = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gw, namespace: gw}
spec: {listeners: [{http: {}, port: {number: 8081}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: llm, namespace: gw}
spec: {hosts: [llm.example.com], ports: [{name: http, number: 80, protocol: HTTP}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: llm, namespace: gw}
spec:
  hosts: ['*']
  virtualGateways: [{name: gw}]
  http:
  - name: llm
    labels: {route: llm}
    matchers: [{uri: {prefix: /}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: llm}, port: {number: 80}}]}
---
apiVersion: trafficcontrol.policy.gloo.solo.io/v2
kind: TransformationPolicy
metadata: {name: model, namespace: gw}
spec:
  applyToRoutes: [{route: {labels: {route: llm}}}]
  config: {response: {injaTemplate: {headers: {x-actual-model: {text: '{{ model }}'}}}}}
"""
TEXT = "The answer was pressed and came out whole."
CHAT = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "actual-model",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
MESSAGE = {
    "id": "msg-1",
    "type": "message",
    "role": "assistant",
    "model": "actual-model",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
MESSAGES: Any = [{"role": "user", "content": "hello"}]


class Compressing(ThreadingHTTPServer):
    """Compresses as it is asked to, or in ``stubborn``, the name of an encoder, whatever it is asked."""

    stubborn = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Compressing

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        accepted = self.headers.get("accept-encoding", "")
        self.server.asked.append(accepted)
        body = json.dumps(MESSAGE if self.path.endswith("/messages") else CHAT).encode()
        chosen = self.server.stubborn or ("gzip" if "gzip" in accepted else "")
        self.send_response(200)
        self.send_header("content-type", "application/json")
        if chosen:
            body, coding = coded(body, chosen)
            self.send_header("content-encoding", coding)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def compressing() -> Iterator[Compressing]:
    with Compressing() as server:
        thread = threading.Thread(target=server.serve_forever, name="compressing provider")
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def provider() -> Iterator[Compressing]:
    with compressing() as server:
        yield server


@pytest.fixture(scope="module")
def url(provider: Compressing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "all.yaml").write_text(MANIFESTS, encoding="utf-8")
    pin = f"{HOST}:80=127.0.0.1:{provider.server_address[1]}"
    command = (str(Path(sys.executable).parent / "wardgate"), "run", str(folder), "--bind", "127.0.0.1")
    with Program(*command, "--port", "8081=0", "--admin", "none", "--resolve", pin) as program:
        line = program.wait_for("serves at http://", seconds=START_SECONDS)
        program.wait_for("live in", seconds=START_SECONDS)
        yield f"http://127.0.0.1:{line.rpartition(':')[2].strip()}"


@pytest.fixture(params=["", *ENCODERS], ids=lambda name: name or "as asked")
def stubborn(request: pytest.FixtureRequest, provider: Compressing) -> Iterator[Compressing]:
    provider.stubborn = request.param
    provider.asked.clear()
    yield provider
    assert ["identity"] == provider.asked


def test_openai_client_gets_answer_and_header(url: str, stubborn: Compressing) -> None:
    del stubborn
    from openai import OpenAI  # late, as in test_anthropic.py

    with OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="alias", messages=MESSAGES)
        assert "gzip" in raw.http_request.headers["accept-encoding"]
        assert "actual-model" == raw.headers["x-actual-model"]
        assert "content-encoding" not in raw.headers
        assert TEXT == raw.parse().choices[0].message.content


def test_anthropic_client_gets_answer_and_header(url: str, stubborn: Compressing) -> None:
    del stubborn
    from anthropic import Anthropic  # late, as in test_anthropic.py

    with Anthropic(base_url=url, api_key="k", max_retries=0) as client:
        raw = client.messages.with_raw_response.create(model="alias", max_tokens=9, messages=MESSAGES)
        assert "gzip" in raw.http_request.headers["accept-encoding"]
        assert "actual-model" == raw.headers["x-actual-model"]
        assert TEXT in str(raw.parse().content[0])


def test_hugging_face_client_gets_its_answer(url: str, stubborn: Compressing, closed_session: None) -> None:
    del stubborn, closed_session
    with InferenceClient(base_url=f"{url}/v1", headers={"api-key": "k"}) as client:
        assert TEXT == client.chat_completion(MESSAGES).choices[0].message.content
