"""The AI-API-key lab, by its own commands, on a real API server: an operator, two proxies, the stand-in provider."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.e2e.installation import Installation
from tests.examples.servers import EXAMPLES, Provider

pytestmark = pytest.mark.measured

LAB = Path(__file__).parent / "lab6"
TOKEN = "hf_not-a-real-token-4f1c"
KEY = {"api-key": "mysecretkey"}
QUESTION = b'{"inputs": "Explain in 1-2 sentences why EKS value significantly increases when Gloo Mesh is added"}'


class Lab:
    """Labs 4 and 5 done: the gateway, the provider's service and the routes stand; anyone may use them."""

    def __init__(self, installation: Installation, provider: Provider, *, ext_auth_server: bool) -> None:
        self.installation = installation
        self.provider = provider
        cluster = installation.cluster
        for namespace in ("gloo-mesh-gateways", "ai-demo"):
            cluster.named_namespace(namespace)
        for name in ("1-gateway.yaml", "2-routes.yaml"):
            objects = list(yaml.safe_load_all((EXAMPLES / "huggingface" / name).read_text()))
            cluster.apply([one for one in objects if ext_auth_server or one["kind"] != "ExtAuthServer"])
        installation.operator()
        for _ in range(2):
            installation.proxy(provider=provider)

    def step(self, name: str) -> None:
        """Run a step's commands as the lab prints them."""
        cluster = self.installation.cluster
        environment = {
            "PATH": f"{cluster.control_plane.binaries}:{os.environ['PATH']}",
            "KUBECONFIG": str(cluster.admin_kubeconfig),
            "HOME": str(self.installation.folder),
            "HF_API_TOKEN": TOKEN,
        }
        script = (LAB / f"{name}.sh").read_text()
        subprocess.run(["bash", "-ec", script], env=environment, check=True, timeout=60, capture_output=True)

    def headers_at_the_provider(self, name: str, values: list[str] | None) -> dict[str, list[str]]:
        """Ask every proxy, with a forged token, until the provider sees these values of a header from all of them."""

        def seen() -> bool:
            for proxy in self.installation.proxies:
                forged = {**KEY, "x-api-key": "forged", "content-type": "application/json"}
                answer = proxy.ask("POST", "/huggingface", headers=forged, body=QUESTION)
                assert 200 == answer.status
                assert values == self.provider.last_headers().get(name)
            return True

        self.installation.wait_until(seen, f"the provider sees {name}: {values}")
        return self.provider.last_headers()

    def marks_at_the_provider(self) -> set[str]:
        """The mark of each proxy, by which it knows its own requests."""
        marks: set[str] = set()
        for proxy in self.installation.proxies:
            assert 200 == proxy.ask("GET", "/huggingface", headers=KEY).status
            marks.update(self.provider.last_headers()["cdn-loop"])
        return marks


@pytest.mark.parametrize("ext_auth_server", [True, False])
def test_every_step_of_the_lab_has_the_lab_s_result(
    installation: Installation, provider: Provider, *, ext_auth_server: bool
) -> None:
    lab = Lab(installation, provider, ext_auth_server=ext_auth_server)
    installation.everywhere(200)

    lab.step("1-policy")
    installation.everywhere(401, method="HEAD")
    installation.everywhere(401, **KEY)
    refused = installation.proxies[0].ask("GET", "/huggingface")
    assert (401, b"") == (refused.status, refused.body)
    assert "API key is missing or invalid" == refused.headers["www-authenticate"]

    lab.step("2-key")
    installation.everywhere(200, **KEY)
    installation.everywhere(401)
    assert not {"api-key", "authorization"} & lab.provider.last_headers().keys()

    lab.step("5-token")
    assert "authorization" not in lab.headers_at_the_provider("api-key", None)

    lab.step("6-metadata")
    assert "authorization" not in lab.headers_at_the_provider("x-api-key", [TOKEN])

    lab.step("7-transformation")
    headers = lab.headers_at_the_provider("authorization", [f"Bearer {TOKEN}"])
    assert "api-key" not in headers
    assert "forged" not in str(headers)
    assert 1 == len(lab.marks_at_the_provider())

    _statuses_tell_the_story(installation.cluster, ext_auth_server=ext_auth_server)


def _statuses_tell_the_story(cluster: Cluster, *, ext_auth_server: bool) -> None:
    for kind, namespace, name in (
        ("extauthpolicy", "gloo-mesh-gateways", "huggingface-apikey"),
        ("transformationpolicy", "default", "huggingface-transformations"),
        ("routetable", "ai-demo", "direct-to-huggingface-routetable"),
        ("virtualgateway", "gloo-mesh-gateways", "ai-ingress-gw"),
    ):
        for condition in ("Accepted", "Programmed", "Ready"):
            cluster.kubectl("wait", f"--for=condition={condition}", f"{kind}/{name}", "-n", namespace, "--timeout=20s")
    status = cluster.get("ExtAuthPolicy", "huggingface-apikey", namespace="gloo-mesh-gateways")["status"]
    verdict = status["common"]["State"]
    # That this installation has no name for its cluster, and maybe no ExtAuthServer, is a note.
    assert "ACCEPTED" == verdict["approval"], status
    assert ext_auth_server is ("ExtAuthServer gloo-mesh-gateways/ext-auth-server" not in verdict["message"]), verdict
    assert 1 == status["numSelectedRoutes"]
    assert 1 == status["keys"]["usable"]
