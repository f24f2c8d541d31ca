"""The route that callers under load take: a key is demanded, and the stand-in provider answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from tests.e2e.door import NETWORKING, SECURITY
from tests.e2e_pods.pods import Callers, Inside, Provider
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site

PATH: Final = "/calls"
KEY: Final = {"api-key": "k-calls"}
PORT: Final = 80
PROXY_PORT: Final = 8080
"""The same listener, as a pod binds it."""


class Calls:
    """The objects of the route, in a namespace of their own."""

    def __init__(self, site: Site, provider: Provider, release: Release, inside: Inside) -> None:
        self._site = site
        self._release = release
        self._inside = inside
        self.namespace = site.namespace("calls")
        self._labels = {"calls": self.namespace}
        site.apply([self._gateway(), self._routes(provider), self._policy()])
        self.key("caller", KEY["api-key"])

    def key(self, name: str, value: str) -> None:
        """Write a key's Secret."""
        self._site.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": self.namespace, "labels": self._labels},
                "type": "extauth.solo.io/apikey",
                "data": {"api-key": base64.b64encode(value.encode()).decode()},
            }
        )

    def revoke(self, name: str) -> None:
        """Delete a key's Secret."""
        self._site.delete("Secret", name, namespace=self.namespace)

    def target(self, address: str = "", **rest: Any) -> dict[str, Any]:
        """Give what a caller needs: the Service, or with ``address`` one pod."""
        where = (address, PROXY_PORT) if address else (self._release.address(), PORT)
        return {"host": where[0], "port": where[1], "path": PATH, "headers": KEY, **rest}

    def status(self, address: str = "", *, headers: Mapping[str, str] = KEY) -> int:
        """Ask once; 0 where no answer came."""
        return int(self._inside.ask(**self.target(address, headers=dict(headers), timeout=5.0))["status"])

    def under_load(self, group: str, *, lost: int = 0, **rest: Any) -> Callers:
        """Callers with keep-alive and fresh connections, who ask the Service all the time."""
        return Callers(self._inside, group, lost=lost, **self.target(**rest))

    def wait_until_served(self) -> None:
        """Wait until the Service answers with the key, and refuses without."""

        def served() -> bool:
            assert (200, 401) == (self.status(), self.status(headers={}))
            return True

        self._site.wait(served, "the route is served, to those with a key")

    def keys_still_count(self, name: str) -> None:
        """Show that operator and proxies understand each other: a new key is accepted and, revoked, refused."""
        self.key(name, name)
        self._everywhere(name, 200)
        self.revoke(name)
        self._everywhere(name, 401)

    def _everywhere(self, key: str, status: int) -> None:
        def answered() -> bool:
            for pod in self._release.ready_pods("proxy"):
                assert status == self.status(pod["status"]["podIP"], headers={"api-key": key})
            return True

        self._site.wait(answered, f"every proxy answers {key} with {status}")

    def _gateway(self) -> dict[str, Any]:
        return self._object(NETWORKING, "VirtualGateway", {"listeners": [{"http": {}, "port": {"number": PORT}}]})

    def _routes(self, provider: Provider) -> dict[str, Any]:
        destination = {"ref": {"name": "provider", "namespace": provider.namespace}, "port": {"number": 80}}
        route = {
            "name": "calls",
            "labels": self._labels,
            "matchers": [{"uri": {"prefix": PATH}}],
            "forwardTo": {"pathRewrite": "/v1/models", "destinations": [destination]},
        }
        gateways = [{"name": "calls", "namespace": self.namespace}]
        return self._object(NETWORKING, "RouteTable", {"hosts": ["*"], "virtualGateways": gateways, "http": [route]})

    def _policy(self) -> dict[str, Any]:
        auth = {"headerName": "api-key", "k8sSecretApikeyStorage": {"labelSelector": self._labels}}
        config = {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}}
        spec = {"applyToRoutes": [{"route": {"labels": self._labels}}], "config": config}
        return self._object(SECURITY, "ExtAuthPolicy", spec)

    def _object(self, version: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {"name": "calls", "namespace": self.namespace}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
