"""``examples/shared-token``: one Secret is changed, and every caller's token is another one, live."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from tests.examples.conftest import StartGateway
from tests.examples.servers import EXAMPLES, Answer, Gateway, Provider

pytestmark = pytest.mark.slow

KEYS = ("team-red-key", "team-blue-key")
TOKEN = "Bearer sk-not-a-real-token-7a2e"
NEXT = "Bearer sk-another-token-1b3c"
MODELS = "/openai/v1/models"


def shown(gateway: Gateway, key: str) -> Answer:
    return gateway.ask("GET", MODELS, headers={"Authorization": f"Bearer {key}"})


def test_one_secret_rotates_the_token_of_all_callers_and_closes_them(
    tmp_path: Path, start_gateway: StartGateway, provider: Provider
) -> None:
    folder = tmp_path / "manifests"
    shutil.copytree(EXAMPLES / "shared-token", folder)
    gateway = start_gateway(folder)
    assert [(200, [TOKEN])] * 2 == [
        (shown(gateway, key).status, provider.last_headers()["authorization"]) for key in KEYS
    ]

    secret = folder / "3-token.yaml"
    text = secret.read_text()
    encoded = [base64.b64encode(token.encode()).decode() for token in (TOKEN, NEXT)]
    secret.write_text(text.replace(encoded[0], encoded[1]))
    headers = {"Authorization": f"Bearer {KEYS[0]}"}
    gateway.ask_until(lambda _: [NEXT] == provider.last_headers()["authorization"], "GET", MODELS, headers=headers)
    assert (200, [NEXT]) == (shown(gateway, KEYS[1]).status, provider.last_headers()["authorization"])

    secret.unlink()
    gateway.ask_until(lambda answer: answer.status == 401, "GET", MODELS, headers=headers)
    assert 401 == shown(gateway, KEYS[1]).status
