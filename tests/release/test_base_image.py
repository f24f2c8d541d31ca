"""The base image is named by its digest, as a registry tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.chart.helm import ROOT

DIGEST = f"sha256:{'5e' * 32}"
FORMS = "application/vnd.oci.image.index.v1+json"


class Registry(BaseHTTPRequestHandler):
    """Holds one image, for whoever brings the token that anybody is given."""

    def do_GET(self) -> None:
        """Give the token."""
        body = json.dumps({"token": f"for {self.path}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        """Answer for the manifest."""
        there = self.path == "/v2/library/python/manifests/3.13-slim" and FORMS in self.headers["Accept"]
        token = self.headers.get("Authorization")
        self.send_response(401 if token is None else 200 if there else 404)
        realm = f"http://{self.headers['Host']}/token"
        self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="s",scope="repository:python:pull"')
        if token == "Bearer for /token?service=s&scope=repository:python:pull":
            self.send_header("Docker-Content-Digest", DIGEST)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(registry: str, dockerfile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "release.base_image",
        "--registry",
        registry,
        "--dockerfile",
        str(dockerfile),
        *options,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("before", ["", f"@sha256:{'00' * 32}"])
def test_dockerfile_names_the_newest_digest_afterwards(registry: str, tmp_path: Path, before: str) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"# A base.\nARG BASE_IMAGE=python:3.13-slim{before}\nFROM ${{BASE_IMAGE}}\n")

    assert f"python:3.13-slim@{DIGEST}\n" == ask(registry, dockerfile).stdout
    assert DIGEST not in dockerfile.read_text()

    ask(registry, dockerfile, "--write")

    expected = f"# A base.\nARG BASE_IMAGE=python:3.13-slim@{DIGEST}\nFROM ${{BASE_IMAGE}}\n"
    assert expected == dockerfile.read_text()


def test_tag_that_is_not_there_changes_nothing(registry: str, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("ARG BASE_IMAGE=python:absent\n")

    ended = ask(registry, dockerfile, "--write")

    assert 1 == ended.returncode
    assert f"{registry} gives no digest of python:absent: HTTP Error 404: Not Found\n" == ended.stderr
    assert "ARG BASE_IMAGE=python:absent\n" == dockerfile.read_text()


def test_the_dockerfile_has_the_line_that_is_moved() -> None:
    ended = ask("http://127.0.0.1:9", ROOT / "Dockerfile")

    assert "gives no digest of python:3" in ended.stderr
