"""Two tenants and the platform on a real API server: ``apps`` has a token, ``evil`` is after it in its own identity.

The platform owns the gateway and delegates /apps and /evil to one namespace each. ``apps`` has a provider, a policy and
a key Secret with the provider's token. ``evil`` may write anything in its own namespace, and knows all names.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster.cluster import Cluster
from tests.cluster.objects import Objects
from tests.e2e.estate import (
    CALLER,
    NETWORKING,
    PROVIDER,
    TOKEN,
    Manifest,
    delegation,
    ext_auth,
    key_secret,
    route,
    service,
    table,
)
from tests.e2e.installation import PORT, Installation
from tests.examples.servers import Provider


@dataclass
class Estate:
    """``evil`` is the attacker in the attacker's own identity."""

    installation: Installation
    provider: Provider
    platform: str
    apps: str
    evil_namespace: str
    evil: Objects

    def attack(self, *manifests: Manifest) -> None:
        """Apply as the attacker, and wait until the proxies serve it."""
        self.evil.apply(list(manifests), namespace=self.evil_namespace)
        for manifest in manifests:
            if manifest["kind"] != "Secret":
                self.installation.cluster.kubectl(
                    *(
                        "wait",
                        "--for=jsonpath={.status.observedGeneration}=1",
                        "--timeout=20s",
                        "-n",
                        self.evil_namespace,
                    ),
                    f"{manifest['kind'].lower()}/{manifest['metadata']['name']}",
                )
        self.settle()

    def settle(self) -> None:
        """Wait until a change made now is enforced: what was applied before it is then as well."""
        cluster, name = self.installation.cluster, f"settle-{len(self.provider.received())}-{id(object())}"
        secret = key_secret(name, name, "none", labels={"team": "apps"})
        cluster.create(secret, namespace=self.apps)
        self.installation.everywhere(200, "/apps/chat", **{"api-key": name})
        cluster.delete("Secret", name, namespace=self.apps)

    def ask(self, path: str, **headers: str) -> int:
        return self.installation.proxies[0].status(path, "POST", **headers)

    def leaks(self) -> list[str]:
        """Requests that took the token anywhere but to the route of ``apps``."""
        return [
            str(record["path"])
            for record in self.provider.received()
            if TOKEN in str(record) and not str(record["path"]).startswith("/models/apps/chat")
        ]


def found(cluster: Cluster, platform: str, apps: str, evil: str) -> None:
    """Apply what the platform and ``apps`` have."""
    gateway = {
        "apiVersion": NETWORKING,
        "kind": "VirtualGateway",
        "metadata": {"name": "gateway"},
        "spec": {
            "listeners": [
                {
                    "http": {},
                    "port": {"number": PORT},
                    "allowedRouteTables": [{"host": "*", "selector": {"namespace": platform}}],
                }
            ]
        },
    }
    cluster.apply([gateway, delegation(apps, evil)], namespace=platform)
    labels = {"team": "apps"}
    bound = {"wardgate.dev/upstream-hosts": PROVIDER}
    cluster.apply(
        [
            service("provider", PROVIDER),
            table("chat", route("/apps/chat", "provider", labels=labels)),
            ext_auth("guard", storage={"labelSelector": labels}, labels=labels),
            key_secret("caller", CALLER, TOKEN, labels=labels, annotations=bound),
        ],
        namespace=apps,
    )
