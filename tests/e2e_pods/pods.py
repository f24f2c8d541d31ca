"""Pods of the tests: callers inside the cluster, and the stand-in provider. Both are Python on the product's image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import trustme

from tests.cluster.objects import Object
from tests.e2e_pods.inside import caller
from tests.e2e_pods.release import IMAGE, TAG
from tests.e2e_pods.site import Site

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
HOSTS: Final = ("api-inference.huggingface.co", "api.openai.com", "api.anthropic.com")
AUTHORITY: Final = "provider-ca"
_RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Inside:
    """A pod that calls: everything that a caller sees is seen from here."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.namespace = site.namespace("inside")
        script = Path(caller.__file__).read_text(encoding="utf-8")
        site.apply(_python_pod(self.namespace, "caller", {"caller.py": script}, [["caller.py"]]))
        wait_for_pod(site, self.namespace, "caller")
        site.wait(lambda: self._order("GET", "tally") == {}, "the callers' desk answers")

    def ask(self, **target: Any) -> dict[str, Any]:
        """Send one request; give ``status``, ``headers`` and ``body``."""
        return self._order("POST", "ask", target)

    def start(self, group: str, **target: Any) -> None:
        """Start callers for a target."""
        self._order("POST", "start", {"group": group, **target})

    def stop(self, group: str) -> dict[str, Any]:
        """End them; give their tally."""
        return self._order("POST", "stop", {"group": group})

    def tally(self, group: str) -> dict[str, Any]:
        """Give the tally so far."""
        return self._order("GET", f"tally?{quote(group)}")

    def _order(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        path = f"/api/v1/namespaces/{self.namespace}/pods/caller:{caller.PORT}/proxy/{what}"
        answer = self._site.http.request(method, path, body=body)
        assert isinstance(answer, dict), answer
        return answer


class Callers:
    """Callers from ``with`` to its end, where a lost request fails the test."""

    def __init__(self, inside: Inside, group: str, *, lost: int = 0, **target: Any) -> None:
        self._inside = inside
        self._group = group
        self._lost = lost
        self._target = target
        self.tally: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._inside.start(self._group, **self._target)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.tally = told = self._inside.stop(self._group)
        print(f"{self._group}: {told['answers']} answers, {told['lost']} lost, slowest {told['slowest']:.2f} s")
        if error is None:
            assert self._lost >= told["lost"], told["first_lost"]
            assert told["answers"] > 0
        elif told["lost"]:
            error.add_note(f"Lost besides: {told['first_lost'][:10]}")

    def rounds(self, count: int, site: Site) -> None:
        """Wait until so many more answers came."""
        before = int(self._inside.tally(self._group)["answers"])
        site.wait(lambda: self._inside.tally(self._group)["answers"] >= before + count, f"{count} more answers")


class Provider:
    """The stand-in provider as a Service: TLS on 443, plain on 80. ``ca`` is the authority of its certificate."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.namespace = site.namespace("provider")
        authority = trustme.CA()
        made = authority.issue_cert(*HOSTS)
        self.ca = authority.cert_pem.bytes().decode()
        chain = "".join(part.bytes().decode() for part in made.cert_chain_pems)
        files = {path.name: path.read_text(encoding="utf-8") for path in (EXAMPLES / "provider").glob("*.py")}
        files |= {"chain.pem": chain, "key.pem": made.private_key_pem.bytes().decode()}
        common = ["__main__.py", "--bind", "0.0.0.0", "--show-tokens", "--delay", "0"]
        commands = [
            [*common, "--port", "8443", "--certificate", "/files/chain.pem", "/files/key.pem"],
            [*common, "--port", "8080", "--no-tls"],
        ]
        ports = [
            {"name": "https", "port": 443, "targetPort": 8443},
            {"name": "http", "port": 80, "targetPort": 8080},
        ]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "provider", "namespace": self.namespace},
            "spec": {"selector": {"app": "provider"}, "ports": ports},
        }
        site.apply([*_python_pod(self.namespace, "provider", files, commands), service])
        wait_for_pod(site, self.namespace, "provider")
        self.address = str(site.get("Service", "provider", namespace=self.namespace)["spec"]["clusterIP"])

    def tell_authority(self, namespace: str) -> None:
        """Put the authority of its certificate where ``values`` says that it is."""
        metadata = {"name": AUTHORITY, "namespace": namespace}
        self._site.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": self.ca}})

    def values(self) -> dict[str, Any]:
        """Give the chart's values that put the stand-in in the place of every provider."""
        pins = [f"{host}:443={self.address}:443" for host in HOSTS]
        return {"proxy": {"resolve": pins, "upstreamCa": {"configMap": AUTHORITY}}}

    def received(self) -> list[dict[str, Any]]:
        """Give what the TLS side was sent, oldest first."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/https:provider:8443/proxy/__received"
        told = self._site.http.request("GET", path)
        assert isinstance(told, list)
        return told

    def last_headers(self) -> dict[str, list[str]]:
        """Give the headers of the last request that arrived, each with all its values."""
        headers: dict[str, list[str]] = {}
        for name, value in self.received()[-1]["headers"]:
            headers.setdefault(name, []).append(value)
        return headers


def wait_for_pod(site: Site, namespace: str, name: str) -> None:
    """Wait until a pod is ready; if it never is, say what Kubernetes said of it."""
    site.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=80s")


def _python_pod(namespace: str, name: str, files: Mapping[str, str], commands: list[list[str]]) -> list[Object]:
    """Give a pod that runs scripts, and the Secret with them."""
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    containers = [
        {
            "name": f"{name}-{number}",
            "image": f"{IMAGE}:{TAG}",
            "imagePullPolicy": "Never",
            "command": ["python3", "-u", f"/files/{script}", *arguments],
            "securityContext": _RESTRICTED,
            "volumeMounts": [{"name": "files", "mountPath": "/files"}],
        }
        for number, (script, *arguments) in enumerate(commands)
    ]
    spec = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": containers,
        "volumes": [{"name": "files", "secret": {"secretName": name}}],
    }
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(files)},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    ]
