"""Isolated tenancy on a real API server: what a tenant's own identity may apply does not get at another tenant's token.

The platform owns the gateway and delegates /apps and /evil to one namespace each. ``apps`` has a provider, a policy and
a key Secret with the provider's token. ``evil`` may write anything in its own namespace, and knows all names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.objects import Objects
from tests.e2e.estate import (
    CALLER,
    ELSEWHERE,
    NETWORKING,
    OWN_KEY,
    PROVIDER,
    TOKEN,
    Manifest,
    delegation,
    ext_auth,
    key_secret,
    route,
    service,
    table,
    tenant_identity,
    transformation,
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


@pytest.fixture
def estate(cluster: Cluster, helm: Path, tmp_path: Path, provider: Provider) -> Iterator[Estate]:
    platform, apps, evil = (cluster.namespace(name) for name in ("platform", "apps", "evil"))
    values = {"tenancy": "isolated", "platformNamespaces": [platform]}
    with Installation(cluster, Helm(helm), tmp_path, values) as installation:
        _platform_and_apps(cluster, platform, apps, evil)
        installation.operator("--tenancy", "isolated", "--platform-namespace", platform)
        installation.proxy(provider=provider)
        installation.everywhere(200, "/apps/chat", **{"api-key": CALLER})
        assert f"Bearer {TOKEN}" not in str(provider.last_headers())
        assert [TOKEN] == provider.last_headers()["authorization"]
        yield Estate(installation, provider, platform, apps, evil, tenant_identity(cluster, evil))


def _platform_and_apps(cluster: Cluster, platform: str, apps: str, evil: str) -> None:
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


def test_route_table_that_borrows_a_label_gets_no_token(estate: Estate) -> None:
    borrowed = {"team": "apps"}
    estate.attack(service("own", ELSEWHERE), table("thief", route("/evil/borrow", "own", labels=borrowed)))
    estate.ask("/evil/borrow", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_transformation_with_an_empty_selector_touches_no_foreign_route(estate: Estate) -> None:
    request = {"injaTemplate": {"headers": {"x-stolen": {"text": '{{ header("authorization") }}'}}}}
    estate.attack(transformation("everything", selectors=[{"route": {}}], request=request))
    assert 200 == estate.ask("/apps/chat", **{"api-key": CALLER})
    assert "x-stolen" not in estate.provider.last_headers()


def test_foreign_key_secret_opens_no_route(estate: Estate) -> None:
    estate.attack(key_secret("intruder", OWN_KEY, "none", labels={"team": "apps"}))
    assert 401 == estate.ask("/apps/chat", **{"api-key": OWN_KEY})


def test_foreign_secret_refs_bring_no_token(estate: Estate) -> None:
    refs = {"apiKeySecretRefs": [{"name": "caller", "namespace": estate.apps}]}
    labels = {"mine": "yes"}
    estate.attack(
        service("own", ELSEWHERE),
        table("thief", route("/evil/refs", "own", labels=labels)),
        ext_auth("borrowing", storage=refs, labels=labels),
    )
    assert estate.ask("/evil/refs", **{"api-key": CALLER}) in {401, 500}
    assert [] == estate.leaks()


def test_foreign_service_is_no_way_to_the_token(estate: Estate) -> None:
    """A route of the attacker's to the victim's provider, with the attacker's own policy."""
    labels = {"mine": "yes"}
    estate.attack(
        table("thief", route("/evil/reuse", "provider", labels=labels, namespace=estate.apps)),
        ext_auth("own", storage={"labelSelector": {"team": "apps"}}, labels=labels),
    )
    assert 200 != estate.ask("/evil/reuse", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_token_bound_to_hosts_does_not_go_where_a_destination_is_chosen_anew(estate: Estate) -> None:
    """``recalculateRoutingDestination`` : the binding holds even against objects of its own namespace."""
    request = {
        "recalculateRoutingDestination": True,
        "injaTemplate": {"headers": {":path": {"text": "/apps/other"}}},
    }
    estate.installation.cluster.apply(
        [
            service("elsewhere", ELSEWHERE),
            table("other", route("/apps/other", "elsewhere", labels={"team": "apps"})),
            transformation("astray", selectors=[{"route": {"labels": {"team": "apps"}}}], request=request),
        ],
        namespace=estate.apps,
    )
    estate.installation.everywhere(403, "/apps/chat", **{"api-key": CALLER})
    assert 403 == estate.ask("/apps/other", **{"api-key": CALLER})
    assert [] == estate.leaks()


def test_endpoint_behind_a_trusted_host_does_not_get_the_token(estate: Estate) -> None:
    """An ExternalEndpoint that takes the place of the trusted name's own addresses."""
    endpoint = {
        "apiVersion": NETWORKING,
        "kind": "ExternalEndpoint",
        "metadata": {"name": "impostor", "labels": {"provider": "own"}},
        "spec": {"address": "203.0.113.7", "ports": [{"name": "https", "number": 443}]},
    }
    labels = {"team": "apps"}
    trusted = service("trusted", PROVIDER, selector={"provider": "own"})
    estate.installation.cluster.apply(
        [endpoint, trusted, table("behind", route("/apps/behind", "trusted", labels=labels))], namespace=estate.apps
    )
    estate.installation.everywhere(403, "/apps/behind", method="POST", **{"api-key": CALLER})
    assert [] == estate.leaks()
