"""What the manifests of the examples promise each other; nothing runs here."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.servers import EXAMPLES

FOLDERS = ("huggingface", "huggingface-router", "huggingface-steps", "openai", "anthropic", "shared-token")
LAB, STEPS, ROUTER = EXAMPLES / "huggingface", EXAMPLES / "huggingface-steps", EXAMPLES / "huggingface-router"


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_example_has_a_readme(folder: str) -> None:
    assert (EXAMPLES / folder / "README.md").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_secret_holds_is_what_its_comment_says(folder: str) -> None:
    (path,) = (EXAMPLES / folder).glob("*-key*.yaml")
    rows = [line.split() for line in path.read_text().splitlines() if " # " in line]
    assert rows
    assert [" ".join(row[3:]) for row in rows] == [base64.b64decode(row[1]).decode() for row in rows]


@pytest.mark.parametrize("name", ["1-gateway.yaml", "3-policy.yaml", "5-transformation.yaml"])
def test_only_route_and_key_differ_at_the_present_address(name: str) -> None:
    assert (LAB / name).read_text() == (ROUTER / name).read_text()


def test_step_six_adds_only_the_metadata_header() -> None:
    (before,), (after,) = documents(STEPS / "3-policy.yaml"), documents(LAB / "3-policy.yaml")
    added = after["spec"]["config"]["glooAuth"]["configs"][0]["apiKeyAuth"].pop("headersFromMetadataEntry")
    assert {"x-api-key": {"name": "huggingface-api-key"}} == added
    assert before == after


def test_step_five_adds_only_the_token() -> None:
    (before,), (after,) = documents(STEPS / "4-key.yaml"), documents(LAB / "4-key.yaml")
    after["data"].pop("huggingface-api-key")
    assert before == after


@pytest.mark.parametrize("folder", ["huggingface-router", "openai", "anthropic", "shared-token"])
def test_a_token_is_bound_to_the_host_of_its_provider(folder: str) -> None:
    everything = [each for path in sorted((EXAMPLES / folder).glob("*.yaml")) for each in documents(path)]
    of_token = "wardgate.dev/metadata-from"
    secrets = [each for each in everything if each["kind"] == "Secret"]
    (secret,) = [each for each in secrets if of_token not in each["metadata"]["annotations"]]
    (service,) = [each for each in everything if each["kind"] == "ExternalService"]
    bound = secret["metadata"]["annotations"]["wardgate.dev/upstream-hosts"]
    assert service["spec"]["hosts"] == bound.split(",")
