"""Releases of the real Helm on a real API server: installed, upgraded, scaled and removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
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

_NAMESPACES = ("watchNamespaces", "keyNamespaces")
ROUTE_TABLES = "routetables.networking.gloo.solo.io"


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
    texts = [
        helm.text(
            *("template", "wardgate", str(CHART), "--namespace", namespace),
            values={**values, **home, **{key: [namespace] for key in _NAMESPACES if values.get(key)}},
        )
        for values in COMBINATIONS.values()
    ]

    flags = ("--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-")
    applied = cluster.kubectl("apply", *flags, stdin="".join(texts)).stdout

    assert len(COMBINATIONS) == applied.count("deployment.apps/wardgate-proxy serverside-applied")


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


def test_definitions_join_a_release_on_request_and_all_else_goes_with_it(release: Release) -> None:
    """Never those of Gloo, even where Helm is told to take things over."""
    managed = {"crds": {"manage": True}}
    everything = {"enabled": True}
    release.install(values={"proxy": {"autoscaling": everything}, "networkPolicy": everything})
    with pytest.raises(HelmRefused, match="ownership"):
        release.upgrade(values=managed)
    not_ours = f"{ROUTE_TABLES} is there already, and it is not Wardgate's"
    with _as_gloo(release.cluster, ROUTE_TABLES), pytest.raises(HelmRefused, match=not_ours):
        release.upgrade("--take-ownership", values=managed)
    release.upgrade("--take-ownership", values=managed)

    release.uninstall()

    assert 7 == _definitions(release.cluster)
    assert {"serviceaccount/default", "configmap/kube-root-ca.crt"} >= _left(release)


@contextmanager
def _as_gloo(cluster: Cluster, name: str) -> Iterator[None]:
    """Let a definition look like one that is not Wardgate's."""
    cluster.kubectl("label", "crd", name, "app.kubernetes.io/part-of=gloo", "--overwrite")
    try:
        yield
    finally:
        cluster.kubectl("label", "crd", name, "app.kubernetes.io/part-of=wardgate", "--overwrite")


def _left(release: Release) -> set[str]:
    inside = release.cluster.kubectl("get", ALL_KINDS, "--namespace", release.namespace, "--output=name").stdout
    outside = release.cluster.kubectl("get", "clusterroles,clusterrolebindings", "--output=name").stdout
    return {*inside.split(), *(each for each in outside.split() if release.name in each)}


def _definitions(cluster: Cluster) -> int:
    listed = cluster.kubectl("get", "crd", "--selector=app.kubernetes.io/part-of=wardgate", "--output=name")
    return len(listed.stdout.split())
