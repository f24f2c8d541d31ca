"""Releases of the real Helm on a real API server: installed, upgraded, scaled and removed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chart.combinations import COMBINATIONS
from tests.chart.helm import CHART, Helm, HelmRefused, Values
from tests.cluster.cluster import Cluster

ALL_KINDS = (
    "deployments,services,serviceaccounts,roles,rolebindings,secrets,configmaps,poddisruptionbudgets,"
    "horizontalpodautoscalers,networkpolicies,leases,jobs,pods"
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release by name, in a namespace of its own."""

    helm: Helm
    cluster: Cluster
    name: str
    namespace: str

    def install(self, *flags: str, values: Values | None = None) -> None:
        """Install the chart."""
        self._run("install", *flags, values=values)

    def upgrade(self, *flags: str, values: Values | None = None) -> None:
        """Upgrade to the same chart with other values."""
        self._run("upgrade", *flags, values=values)

    def uninstall(self) -> None:
        """Remove the release."""
        self.helm.text("uninstall", self.name, *self._where())

    def proxies(self) -> int:
        """Give how many proxies are asked for."""
        deployment = self.cluster.get("Deployment", f"{self.name}-proxy", namespace=self.namespace)
        replicas = deployment["spec"]["replicas"]
        assert isinstance(replicas, int)
        return replicas

    def scale(self, number: int) -> None:
        """Scale the proxies, as an autoscaler does: by the subresource, not by the spec."""
        self.cluster.kubectl(
            "scale", f"deployment/{self.name}-proxy", f"--replicas={number}", f"--namespace={self.namespace}"
        )

    def _run(self, command: str, *flags: str, values: Values | None) -> None:
        self.helm.text(command, self.name, str(CHART), *self._where(), *flags, values=values)

    def _where(self) -> tuple[str, ...]:
        return "--namespace", self.namespace, "--kubeconfig", str(self.cluster.admin_kubeconfig)


@pytest.fixture
def release(cluster: Cluster, helm: Helm) -> Release:
    """A release that is not installed yet."""
    return Release(helm, cluster, f"w{secrets.token_hex(3)}", cluster.namespace("helm"))


def test_every_combination_of_values_is_taken_by_the_api_server(cluster: Cluster, helm: Helm) -> None:
    """A namespace of the config does not come to be in a dry run, so what is in it is rendered into the release's."""
    namespace = cluster.namespace("combinations")
    home = {"configNamespace": {"name": namespace, "create": False}}
    refused = []
    for name, values in COMBINATIONS.items():
        places = {key: [namespace] for key in ("watchNamespaces", "keyNamespaces") if values.get(key)}
        arguments = ("template", "wardgate", str(CHART), "--namespace", namespace)
        text = helm.text(*arguments, values={**values, **home, **places})
        flags = ("--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-")
        ended = cluster.kubectl("apply", *flags, stdin=text, check=False)
        if ended.returncode:
            refused.append(f"{name}: {ended.stderr}")

    assert [] == refused


def test_an_upgrade_leaves_alone_what_something_else_scales(release: Release) -> None:
    left_out: dict[str, Any] = {"proxy": {"replicas": None}}
    autoscaled: dict[str, Any] = {"proxy": {"autoscaling": {"enabled": True}}}
    release.install()
    release.upgrade(values={"proxy": {"replicas": 4}})
    release.upgrade(values=left_out)
    assert 4 == release.proxies(), "Nothing has scaled it yet, so it keeps its number."

    release.scale(7)
    release.upgrade(values=autoscaled)

    assert 7 == release.proxies()


def test_nothing_of_a_release_is_left(release: Release) -> None:
    release.install(values={"proxy": {"autoscaling": {"enabled": True}}})
    release.uninstall()

    listed = release.cluster.kubectl("get", ALL_KINDS, "--namespace", release.namespace, "--output=name").stdout
    everywhere = release.cluster.kubectl("get", "clusterroles,clusterrolebindings", "--output=name").stdout
    theirs = {"serviceaccount/default", "configmap/kube-root-ca.crt"}
    assert set() == set(listed.split()) - theirs
    assert release.name not in everywhere
    assert 7 == _definitions(release.cluster)


def test_definitions_join_the_release_on_request_and_outlive_it(release: Release) -> None:
    release.install()
    with pytest.raises(HelmRefused, match="ownership"):
        release.upgrade(values={"crds": {"manage": True}})

    release.upgrade("--take-ownership", values={"crds": {"manage": True}})
    release.uninstall()

    assert 7 == _definitions(release.cluster)


def test_definitions_of_gloo_are_never_taken_over(release: Release) -> None:
    name = "routetables.networking.gloo.solo.io"
    release.install()
    release.cluster.kubectl("label", "crd", name, "app.kubernetes.io/part-of=gloo", "--overwrite")
    try:
        with pytest.raises(HelmRefused, match=f"{name} is there already, and it is not Wardgate's"):
            release.upgrade("--take-ownership", values={"crds": {"manage": True}})
    finally:
        release.cluster.kubectl("label", "crd", name, "app.kubernetes.io/part-of=wardgate", "--overwrite")


def _definitions(cluster: Cluster) -> int:
    listed = cluster.kubectl("get", "crd", "--selector=app.kubernetes.io/part-of=wardgate", "--output=name")
    return len(listed.stdout.split())
