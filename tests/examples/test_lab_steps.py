"""The lab's own steps, taken by editing files below a gateway that keeps running."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.servers import EXAMPLES, Answer, Gateway, Provider

pytestmark = pytest.mark.slow

DONE, BEFORE = EXAMPLES / "huggingface", EXAMPLES / "huggingface-steps"
TOKEN = "hf_not-a-real-token-4f1c"
KEY = {"api-key": "mysecretkey"}
FORGED = KEY | {"x-api-key": "forged"}


class Lab:
    """A folder of manifests, the gateway that serves it, and the provider behind it."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.folder = folder
        self.provider = provider
        self.gateway = Gateway(folder, provider)

    def put(self, source: Path) -> None:
        """Copy a manifest into the folder in one step, as editors do."""
        put(source, self.folder)

    def ask_until(self, status: int, method: str = "GET", **headers: str) -> Answer:
        return self.gateway.ask_until(lambda answer: answer.status == status, method, "/huggingface", headers=headers)

    def headers_until(self, name: str, values: list[str] | None) -> dict[str, list[str]]:
        """Ask with the key and a forged token until the provider sees these values of a header."""

        def seen(answer: Answer) -> bool:
            return answer.status == 200 and self.provider.last_headers().get(name) == values

        answer = self.gateway.ask_until(seen, "GET", "/huggingface", headers=FORGED)
        assert 200 == answer.status
        return self.provider.last_headers()


def put(source: Path, folder: Path) -> None:
    hidden = folder / f".{source.name}.new"
    shutil.copy(source, hidden)
    hidden.replace(folder / source.name)


@pytest.fixture
def lab(tmp_path: Path, provider: Provider) -> Iterator[Lab]:
    """The state that the lab begins with: a gateway and a route that anyone may use."""
    for name in ("1-gateway.yaml", "2-routes.yaml"):
        put(DONE / name, tmp_path)
    started = Lab(tmp_path, provider)
    with started.gateway.program:
        yield started


def test_every_step_has_the_result_of_the_lab(lab: Lab) -> None:
    assert 200 == lab.ask_until(200).status

    # Steps 1 and 3: the policy is there before any Secret. Refused, in the words of the lab, to GET and to HEAD.
    lab.put(BEFORE / "3-policy.yaml")
    for method in ("GET", "HEAD"):
        refused = lab.ask_until(401, method)
        assert (401, b"") == (refused.status, refused.body)
        assert "API key is missing or invalid" == refused.headers["www-authenticate"]
    assert "0" == lab.ask_until(401).headers["content-length"]
    assert 401 == lab.ask_until(401, **KEY).status

    # Steps 2 and 4: a key. Accepted, and the provider sees no credential of anyone.
    lab.put(BEFORE / "4-key.yaml")
    assert 200 == lab.ask_until(200, **KEY).status
    assert 401 == lab.ask_until(401).status
    assert not {"api-key", "authorization"} & lab.provider.last_headers().keys()

    # Step 5: the token is in the Secret; nothing says yet where it goes.
    lab.put(DONE / "4-key.yaml")
    assert "authorization" not in lab.headers_until("api-key", None)

    # Step 6: the policy hands it on as x-api-key, over what the caller sent.
    lab.put(DONE / "3-policy.yaml")
    headers = lab.headers_until("x-api-key", [TOKEN])
    assert [TOKEN] == headers["x-api-key"]
    assert "authorization" not in headers

    # Steps 7 and 8: the transformation writes it into the header that the provider reads.
    lab.put(DONE / "5-transformation.yaml")
    headers = lab.headers_until("authorization", [f"Bearer {TOKEN}"])
    assert [f"Bearer {TOKEN}"] == headers["authorization"]
    assert "api-key" not in headers
    assert "forged" not in str(headers)


def test_a_key_whose_file_is_deleted_is_refused(lab: Lab) -> None:
    for name in ("3-policy.yaml", "4-key.yaml"):
        lab.put(DONE / name)
    assert 200 == lab.ask_until(200, **KEY).status
    (lab.folder / "4-key.yaml").unlink()
    assert 401 == lab.ask_until(401, **KEY).status


def test_a_changed_key_replaces_the_old_one(lab: Lab) -> None:
    lab.put(DONE / "3-policy.yaml")
    lab.put(DONE / "4-key.yaml")
    assert 200 == lab.ask_until(200, **KEY).status
    text = (DONE / "4-key.yaml").read_text().replace("bXlzZWNyZXRrZXk=", "bmV3LWtleQ==")
    (lab.folder / "next").write_text(text)
    (lab.folder / "next").replace(lab.folder / "4-key.yaml")
    assert 200 == lab.ask_until(200, **{"api-key": "new-key"}).status
    assert 401 == lab.ask_until(401, **KEY).status


def test_a_transformation_without_its_token_sends_no_half_empty_credential(lab: Lab) -> None:
    for source in (DONE / "3-policy.yaml", BEFORE / "4-key.yaml", DONE / "5-transformation.yaml"):
        lab.put(source)
    before = len(lab.provider.received())
    assert 403 == lab.ask_until(403, **FORGED).status
    late = [record["headers"] for record in lab.provider.received()[before:]]
    assert not [pair for headers in late for pair in headers if pair[0] == "authorization"]
