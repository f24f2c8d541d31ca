"""The stand-in provider by itself: what it answers, and that it tells the truth about what arrived."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest

from examples.demo.processes import Program, python
from tests.examples.servers import EXAMPLES, START_SECONDS, Provider

pytestmark = pytest.mark.slow

GPT2 = "/models/openai-community/gpt2"


def test_a_request_without_a_token_is_answered(provider: Provider) -> None:
    answer = provider.ask("POST", GPT2, body=b'{"inputs": "hello"}')
    assert (200, "no credential") == (answer.status, answer.headers["x-provider-saw"])
    assert "The key stayed at the gate." == answer.json()[0]["generated_text"]


def test_get_and_head_are_answered_alike(provider: Provider) -> None:
    get, head = provider.ask("GET", GPT2), provider.ask("HEAD", GPT2)
    assert (200, "openai-community/gpt2") == (get.status, get.json()["model"])
    assert (200, b"") == (head.status, head.body)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_document_shows_the_headers_that_arrived(provider: Provider, path: str) -> None:
    answer = provider.ask("POST", path, body=b"{}", headers={"X-Api-Key": "token-of-the-test"})
    assert ["x-api-key", "token-of-the-test"] in answer.json()["received"]["headers"]


def test_a_chunked_body_is_read(provider: Provider) -> None:
    answer = provider.ask("POST", "/v1/messages", body=iter([b'{"model":', b'"m"}']), headers={"X-Seen": "1"})
    assert ("m", 13) == (answer.json()["model"], answer.json()["received"]["body_bytes"])


def test_a_repeated_header_is_recorded_twice(provider: Provider) -> None:
    context = ssl.create_default_context(cafile=provider.ca_file)
    connection = http.client.HTTPSConnection("127.0.0.1", provider.port, context=context, timeout=30)
    connection.putrequest("GET", GPT2)
    connection.putheader("x-twice", "one")
    connection.putheader("x-twice", "two")
    connection.endheaders()
    connection.getresponse().read()
    connection.close()
    assert ["one", "two"] == provider.last_headers()["x-twice"]


def test_a_stream_ends_as_openai_ends_it(provider: Provider) -> None:
    answer = provider.ask("POST", "/v1/chat/completions", body=b'{"stream": true}')
    assert "text/event-stream" == answer.headers["content-type"]
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_a_stream_has_the_events_of_anthropic(provider: Provider) -> None:
    answer = provider.ask("POST", "/v1/messages", body=b'{"stream": true}')
    events = [line.removeprefix("event: ") for line in answer.body.decode().splitlines() if line.startswith("event: ")]
    assert ["message_start", "content_block_start", "ping"] == events[:3]
    assert ["content_block_stop", "message_delta", "message_stop"] == events[-3:]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/nowhere", b"{}", 404),
        ("GET", "/v1/messages", None, 405),
        ("POST", "/v1/messages", b"not json", 400),
        ("POST", "/v1/messages", b"[]", 400),
    ],
)
def test_what_it_does_not_know_is_refused(
    provider: Provider, method: str, path: str, body: bytes | None, status: int
) -> None:
    assert status == provider.ask(method, path, body=body).status


def test_records_can_be_forgotten(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    with provider.program:
        provider.ask("GET", GPT2)
        assert 1 == len(provider.received())
        provider.ask("DELETE", "/__received")
        assert [] == provider.received()


def test_a_credential_is_masked_unless_asked_for() -> None:
    command = python(str(EXAMPLES / "provider"), "--port", "0", "--no-tls", "--host", "localhost")
    with Program(*command) as program:
        line = program.wait_for("provider: serving http://", "as localhost", seconds=START_SECONDS)
        port = int(line.split(" as ")[0].rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", f"{GPT2}?key=secret-query", headers={"Authorization": "Bearer hf_secret-token-1"})
        body = connection.getresponse().read()
        connection.close()
        program.wait_for(f"GET {GPT2}", seconds=10)
        said = "\n".join(program.lines) + body.decode()
    assert "Bearer hf_s...[17 characters]" in said
    assert "secret-token" not in said
    assert "secret-query" not in said


def test_a_path_is_shown_as_a_terminal_may_show_it(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    with provider.program as program:
        context = ssl.create_default_context(cafile=provider.ca_file)
        with (
            socket.create_connection(("127.0.0.1", provider.port), timeout=30) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"GET /\x1b[2J\x9b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            connection.recv(100)
        program.wait_for("GET /\\x1b[2J\\x9b 404", seconds=10)


def test_a_held_stream_goes_on_when_released(tmp_path: Path) -> None:
    provider = Provider(tmp_path, "--hold-streams")
    with provider.program:
        context = ssl.create_default_context(cafile=provider.ca_file)
        connection = http.client.HTTPSConnection("127.0.0.1", provider.port, context=context, timeout=30)
        connection.request("POST", "/v1/chat/completions", body=json.dumps({"stream": True}))
        response = connection.getresponse()
        first = response.readline()
        provider.ask("POST", "/__release")
        rest = response.read()
        connection.close()
    assert first.startswith(b"data: {")
    assert rest.endswith(b"data: [DONE]\n\n")


def test_a_port_that_is_taken_is_said(provider: Provider) -> None:
    with Program(*python(str(EXAMPLES / "provider"), "--no-tls", "--port", str(provider.port))) as second:
        second.wait_for("cannot listen on", str(provider.port), seconds=START_SECONDS)
        assert 1 == second.wait(seconds=10)
