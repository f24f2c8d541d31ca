"""``helm test``, and the chart's NetworkPolicies, on pods.

Whether the policies are enforced is up to the cluster's network. The node of ``make e2e-node`` does not enforce them:
there this shows that Kubernetes takes them, and that the release works with them.
"""

from __future__ import annotations

from tests.e2e_pods.calls import Calls
from tests.e2e_pods.pods import Provider
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site


def test_helm_test_asks_every_proxy(release: Release, calls: Calls, site: Site) -> None:
    del calls  # there is a config to serve
    said = site.helm("test", release.name, "--namespace", release.namespace, "--timeout=2m")

    assert "Succeeded" in said


def test_all_that_counts_works_with_the_network_policies(
    release: Release, calls: Calls, provider: Provider, site: Site
) -> None:
    upstreams = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": provider.namespace}}}]
    values = {
        "networkPolicy": {"enabled": True, "upstreams": upstreams, "apiServer": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
    }
    with calls.under_load("network policies") as callers:
        release.upgrade(values)
        try:
            names = {each["metadata"]["name"] for each in site.list("NetworkPolicy", namespace=release.namespace)}
            assert names, "the API server has them"
            callers.rounds(50, site)
            calls.keys_still_count("policies-on")
            site.helm("test", release.name, "--namespace", release.namespace, "--timeout=2m")
        finally:
            release.rollback()
    assert [] == site.list("NetworkPolicy", namespace=release.namespace)
