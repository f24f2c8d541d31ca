"""A real API server takes what the chart renders, and its RBAC allows what the table says and denies the rest."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chart.helm import CHART, Helm, Manifest, Values, of_kind, one
from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError

KINDS = (
    "ExtAuthServer", "ExternalEndpoint", "ExternalService", "RouteTable", "VirtualGateway", "ExtAuthPolicy",
    "TransformationPolicy",
)  # fmt: skip
CLUSTER_SCOPED = ("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding")
CHANGES = ("create", "update", "patch", "delete", "deletecollection")
READS = ("get", "list", "watch")
RBAC_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the chart in the cluster, and a namespace that has nothing to do with it."""

    cluster: Cluster
    name: str
    namespace: str
    foreign: str
    documents: list[Manifest]

    @property
    def config(self) -> str:
        """Where the config Secrets live."""
        return f"{self.name}-config"

    def user(self, component: str) -> str:
        """The name of a component's identity."""
        return f"system:serviceaccount:{self.namespace}:{self.name}-{component}"

    def allowed(self, component: str, rows: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
        """Those of the rows ``(namespace, kind, verb[, name[, subresource]])`` that RBAC allows."""
        return {row for row in rows if self._may(component, *row)}

    def require(self, component: str, rows: set[tuple[str, ...]]) -> None:
        """Fail if RBAC does not allow every row; a new role may need a moment until it counts."""

        def all_allowed() -> bool:
            assert set() == rows - self.allowed(component, rows)
            return True

        self.cluster.wait_until(all_allowed, seconds=RBAC_SECONDS, what=f"the {component} may do what it must")

    def _may(self, component: str, namespace: str, kind: str, verb: str, name: str = "", subresource: str = "") -> bool:
        where = {"namespace": namespace, "name": name, "subresource": subresource}
        return self.cluster.can(
            self.user(component), verb, kind, **{key: value for key, value in where.items() if value}
        )


Install = Callable[..., Release]


@pytest.fixture
def install(cluster: Cluster, helm: Helm) -> Install:
    """Apply the chart with kubectl, under a name of its own, and wait until its rights count."""

    def call(values: Values | None = None) -> Release:
        name = f"w{secrets.token_hex(3)}"
        namespace = cluster.namespace("install", labels={"pod-security.kubernetes.io/enforce": "restricted"})
        text = helm.text("template", name, str(CHART), "--namespace", namespace, "--include-crds", values=values or {})
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-", stdin=text)
        documents = helm.render(values, release=name, namespace=namespace)
        release = Release(cluster, name, namespace, cluster.namespace("foreign"), documents)
        for component in ("operator", "proxy"):
            release.require(component, {(release.config, "Secret", "get")})
        return release

    return call


@pytest.fixture
def release(install: Install) -> Release:
    """A release with default values."""
    return install()


def _rows(namespaces: list[str], kinds: tuple[str, ...], verbs: tuple[str, ...], *more: str) -> set[tuple[str, ...]]:
    return {(namespace, kind, verb, *more) for namespace in namespaces for kind in kinds for verb in verbs}


def test_the_api_server_takes_every_object(release: Release) -> None:
    served = [
        release.cluster.get(
            document["kind"], document["metadata"]["name"], namespace=document["metadata"].get("namespace")
        )
        for document in release.documents
    ]

    names = [document["metadata"]["name"] for document in release.documents]
    assert names == [each["metadata"]["name"] for each in served]


def test_the_pods_are_admitted_where_the_restricted_standard_is_enforced(release: Release) -> None:
    for component in ("operator", "proxy"):
        release.cluster.create(_pod(release, component), namespace=release.namespace)


def test_a_pod_with_one_restriction_less_is_not_admitted(release: Release) -> None:
    pod = _pod(release, "proxy")
    del pod["spec"]["containers"][0]["securityContext"]["capabilities"]

    with pytest.raises(ApiError, match="restricted"):
        release.cluster.create(pod, namespace=release.namespace)


def test_the_operator_may_do_its_work(release: Release) -> None:
    own, config, foreign = release.namespace, release.config, release.foreign
    work = (
        _rows([own, foreign, ""], KINDS, READS)
        | {(foreign, kind, "patch", "x", "status") for kind in KINDS}
        | _rows([foreign, ""], ("Secret",), ("list", "watch"))
        | _rows([foreign], ("events", "events.events.k8s.io"), ("create", "patch"))
        | _rows([own], ("Lease",), ("get", "update"), f"{release.name}-operator")
        | {(own, "Lease", "create"), (own, "Secret", "create"), (own, "Secret", "list")}
        | _rows([own], ("Secret",), ("get", "update"), f"{release.name}-state")
        | _rows([own], ("Secret",), ("get", "update"), f"{release.name}-state-7")
        | _rows([own], ("EndpointSlice",), READS)
        | _rows([config], ("Secret",), (*READS, "create", "update", "delete"))
        | {("default", "EndpointSlice", "get", "kubernetes")}
    )

    release.require("operator", work)


def test_the_operator_may_not_touch_what_is_not_its_own(release: Release) -> None:
    own, config, foreign = release.namespace, release.config, release.foreign
    denied = (
        _rows([foreign, own, "default"], KINDS, CHANGES, "x")
        | {(foreign, kind, "update", "x", "status") for kind in KINDS}
        | _rows([foreign, "default", "kube-system"], ("Secret",), ("get", *CHANGES), "users-secret")
        | _rows([own], ("Secret",), ("get", "update", "patch", "delete"), "users-secret")
        | _rows([own], ("Secret",), ("patch", "delete"), f"{release.name}-state")
        | _rows([own], ("Secret",), ("deletecollection",))
        | _rows([own], ("Lease",), ("get", "update", "patch", "delete"), "another-lease")
        | _rows([config], ("Secret",), ("patch", "deletecollection"))
        | _rows([foreign], ("Lease", "ConfigMap", "Pod", "Deployment"), (*READS, *CHANGES))
        | _rows([foreign, ""], ("EndpointSlice",), READS)
        | _rows(["default"], ("EndpointSlice",), ("list", "watch"))
        | {("default", "EndpointSlice", "get", "another")}
        | _rows([""], CLUSTER_SCOPED, (*READS, *CHANGES))
        | {(own, "Pod", "create", "", "exec"), (own, "ServiceAccount", "create", "x", "token")}
        | _rows([own, foreign], ("Role", "RoleBinding"), (*CHANGES, "bind", "escalate"))
        | {("", "ServiceAccount", "impersonate")}
    )

    assert set() == release.allowed("operator", denied)


def test_a_proxy_may_read_its_config(release: Release) -> None:
    work = {(release.config, "Secret", "get", "any-shard")} | _rows(
        [release.config], ("Secret",), ("list", "watch"), f"{release.name}-index"
    )

    release.require("proxy", work)


def test_a_proxy_may_do_nothing_else(release: Release) -> None:
    own, config, foreign = release.namespace, release.config, release.foreign
    everywhere = [own, config, foreign, "default", "kube-system", ""]
    denied = (
        _rows(everywhere, ("Secret",), ("list", "watch", *CHANGES))
        | _rows([each for each in everywhere if each != config], ("Secret",), ("get",), f"{release.name}-index")
        | {(own, "Secret", "get", f"{release.name}-state")}
        | _rows([config], ("Secret",), ("list", "watch", *CHANGES), "any-shard")
        | _rows([config], ("Secret",), CHANGES, f"{release.name}-index")
        | _rows([foreign, own, config], (*KINDS, "ConfigMap", "Pod", "Lease", "EndpointSlice"), (*READS, *CHANGES))
        | _rows([""], ("Namespace", "Node", "CustomResourceDefinition"), READS)
        | {("default", "EndpointSlice", "get", "kubernetes")}
    )

    assert set() == release.allowed("proxy", denied)


def test_a_proxy_lists_the_index_by_name_and_no_other_secret(release: Release) -> None:
    """Not only the answer of RBAC: the request that a proxy makes, with its token."""
    token = release.cluster.service_account_token(release.namespace, f"{release.name}-proxy")
    proxy = release.cluster.as_token(token)
    for name in (f"{release.name}-index", f"{release.name}-routes-1"):
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
        release.cluster.create(secret, namespace=release.config)
    path = f"/api/v1/namespaces/{release.config}/secrets"

    found = proxy.http.request("GET", path, query={"fieldSelector": f"metadata.name={release.name}-index"})

    assert [f"{release.name}-index"] == [each["metadata"]["name"] for each in found["items"]]
    with pytest.raises(ApiError, match="forbidden"):
        proxy.http.request("GET", path)


def test_with_namespaces_the_operator_reads_only_those(install: Install, cluster: Cluster) -> None:
    watched, keys = cluster.namespace("watched"), cluster.namespace("keys")
    release = install({"watchNamespaces": [watched], "keyNamespaces": [keys]})
    work = _rows([watched], KINDS, READS) | _rows([keys], ("Secret",), ("list", "watch"))
    denied = (
        _rows([keys, release.foreign, ""], KINDS, READS)
        | _rows([watched, release.foreign, ""], ("Secret",), READS)
        | {(release.foreign, kind, "patch", "x", "status") for kind in KINDS}
        | _rows([release.foreign, keys, ""], ("events", "events.events.k8s.io"), ("create", "patch"))
    )

    release.require("operator", work)
    assert set() == release.allowed("operator", denied)


def _pod(release: Release, component: str) -> dict[str, Any]:
    deployment = one(of_kind(release.documents, "Deployment"), "Deployment", f"{release.name}-{component}")
    template = copy.deepcopy(deployment["spec"]["template"])
    template["metadata"]["name"] = f"{release.name}-{component}"
    return {"apiVersion": "v1", "kind": "Pod", **template}
