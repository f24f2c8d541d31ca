"""A release that goes leaves what the user made, and nothing of its own; another one may come at once."""

from __future__ import annotations

import time

import pytest

from tests.cluster.objects import Object
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site

SCOPED = ("ClusterRole", "ClusterRoleBinding", "Namespace")
OF_OTHERS = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
ALONE = {"operator": {"replicas": 1}, "proxy": {"replicas": 1}}


@pytest.fixture
def leaving(site: Site, release: Release) -> Release:
    """A release of its own, beside the shared one."""
    del release  # it brought the CRDs
    return Release(site, "leaving", ALONE)


def test_nothing_but_the_user_s_objects_stays_and_a_reinstall_is_quick(leaving: Release, site: Site) -> None:
    before = _cluster_wide(site)
    gateway = _gateway(leaving)
    leaving.install()
    site.apply(gateway)

    leaving.uninstall()
    site.wait(lambda: site.find("Namespace", leaving.config_namespace) is None, "the config namespace is gone")
    site.wait(lambda: not leaving.pods("proxy") and not leaving.pods("operator"), "the pods are gone")

    assert before == _cluster_wide(site)
    # What the operator made goes with its ServiceAccount, by the garbage collector.
    mine = {"VirtualGateway/mine"}
    site.wait(lambda: mine == _namespaced(site, leaving.namespace), "what the operator made is gone", seconds=30)

    started = time.monotonic()
    leaving.install()
    print(f"reinstalled in {time.monotonic() - started:.1f} s")
    leaving.uninstall()


def _gateway(release: Release) -> Object:
    metadata = {"name": "mine", "namespace": release.namespace}
    spec = {"listeners": [{"http": {}, "port": {"number": 443}}]}
    return {"apiVersion": "networking.gloo.solo.io/v2", "kind": "VirtualGateway", "metadata": metadata, "spec": spec}


def _cluster_wide(site: Site) -> set[str]:
    return {f"{kind}/{each['metadata']['name']}" for kind in SCOPED for each in site.list(kind)}


def _namespaced(site: Site, namespace: str) -> set[str]:
    """Everything in a namespace but what Kubernetes itself puts there, Events, and pods on their way out."""
    listing = site.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = ",".join(sorted({each for each in listing if not each.startswith(("events", "pods"))}))
    found = site.kubectl(
        "-n", namespace, "get", kinds, "-o", "jsonpath={range .items[*]}{.kind}/{.metadata.name} {end}"
    )
    return set(found.split()) - OF_OTHERS
