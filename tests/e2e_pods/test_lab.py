"""The AI-API-key lab, by its own commands, on real pods; the provider is reached by its own name and verified TLS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.test_lab import KEY, LAB, QUESTION, TOKEN
from tests.e2e_pods.pods import EXAMPLES, Inside, Provider
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site

PORT = 8081


@pytest.fixture
def lab(site: Site, release: Release) -> Iterator[None]:
    """Labs 4 and 5 done: the gateway, the provider's service and the routes stand; anyone may use them."""
    del release  # it brought the CRDs
    for namespace in ("gloo-mesh-gateways", "ai-demo"):
        site.named_namespace(namespace)
    for name in ("1-gateway.yaml", "2-routes.yaml"):
        site.apply(EXAMPLES / "huggingface" / name)
    yield
    site.delete("TransformationPolicy", "huggingface-transformations", namespace="default")
    site.delete("Secret", "api-huggingface-key", namespace="default")
    for namespace in ("gloo-mesh-gateways", "ai-demo"):
        site.delete_namespace(namespace)


@pytest.mark.usefixtures("lab")
def test_every_step_of_the_lab_has_the_lab_s_result(
    site: Site, release: Release, inside: Inside, provider: Provider
) -> None:
    host = release.address()

    def ask(**headers: str) -> dict[str, object]:
        headers = {"content-type": "application/json", **headers}
        return inside.ask(
            host=host, port=PORT, path="/huggingface", method="POST", headers=headers, body=QUESTION.decode()
        )

    def answers(status: int, **headers: str) -> None:
        """Often enough that every proxy has answered."""
        site.wait(lambda: {status} == {ask(**headers)["status"] for _ in range(8)}, f"{sorted(headers)} gets {status}")

    def sees(name: str, values: list[str] | None) -> dict[str, list[str]]:
        """Ask with a forged token until the provider sees these values of a header."""

        def seen() -> bool:
            for _ in range(8):
                assert 200 == ask(**KEY, **{"x-api-key": "forged"})["status"]
                assert values == provider.last_headers().get(name)
            return True

        site.wait(seen, f"the provider sees {name}: {values}")
        return provider.last_headers()

    def step(name: str) -> None:
        script = (LAB / f"{name}.sh").read_text(encoding="utf-8")
        environment = {**site.shell_environment(), "HF_API_TOKEN": TOKEN}
        subprocess.run(["bash", "-ec", script], env=environment, check=True, timeout=60, capture_output=True)

    answers(200)
    step("1-policy")
    answers(401)
    answers(401, **KEY)
    step("2-key")
    answers(200, **KEY)
    answers(401)
    assert not {"api-key", "authorization"} & provider.last_headers().keys()
    step("5-token")
    assert "authorization" not in sees("api-key", None)
    step("6-metadata")
    assert "authorization" not in sees("x-api-key", [TOKEN])
    step("7-transformation")
    headers = sees("authorization", [f"Bearer {TOKEN}"])
    assert "api-key" not in headers
    assert "forged" not in str(headers)

    for kind, namespace, name in (
        ("extauthpolicy", "gloo-mesh-gateways", "huggingface-apikey"),
        ("transformationpolicy", "default", "huggingface-transformations"),
        ("virtualgateway", "gloo-mesh-gateways", "ai-ingress-gw"),
    ):
        for condition in ("Accepted", "Programmed", "Ready"):
            site.kubectl("-n", namespace, "wait", f"--for=condition={condition}", f"{kind}/{name}", "--timeout=20s")
