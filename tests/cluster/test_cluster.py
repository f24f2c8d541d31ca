"""What a test is promised of the fixture ``cluster``: rights that hold, traces that show, and nothing left behind."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.api.manifests import external_service
from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.cluster.waiting import wait_until

pytestmark = pytest.mark.slow

SECONDS = 10.0


def _secret(name: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "b"}}


def _role(kind: str, verbs: list[str]) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": [kind], "verbs": verbs}]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
        "rules": rules,
    }


def _binding(namespace: str, account: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


def test_token_without_rights_is_forbidden(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    nobody = cluster.as_token(cluster.service_account_token(namespace, "nobody"))

    with pytest.raises(ApiError, match=f"system:serviceaccount:{namespace}:nobody.*cannot list") as refused:
        nobody.list("Secret", namespace=namespace)
    assert 403 == refused.value.status


def test_role_grants_what_it_says_and_no_more(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    cluster.create(_secret("one"), namespace=namespace)
    reader = cluster.as_token(cluster.service_account_token(namespace, "reader"))
    cluster.apply([_role("secrets", ["get"]), _binding(namespace, "reader")], namespace=namespace)
    user = f"system:serviceaccount:{namespace}:reader"
    wait_until(lambda: cluster.can(user, "get", "Secret", namespace=namespace), seconds=SECONDS, what="the role counts")

    assert "one" == reader.get("Secret", "one", namespace=namespace)["metadata"]["name"]
    assert not cluster.can(user, "list", "Secret", namespace=namespace)
    with pytest.raises(ApiError, match="cannot list"):
        reader.list("Secret", namespace=namespace)


def test_invented_token_is_unauthorized(cluster: Cluster) -> None:
    with pytest.raises(ApiError) as refused:
        cluster.as_token("invented").list("Secret")
    assert 401 == refused.value.status


def test_kubeconfig_carries_identity_and_namespace(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    token = cluster.service_account_token(namespace, "bob")
    kubeconfig = cluster.kubeconfig_for(token=token, namespace=namespace)

    assert f"system:serviceaccount:{namespace}:bob" in cluster.kubectl("auth", "whoami", kubeconfig=kubeconfig).stdout
    refused = cluster.kubectl("get", "secrets", kubeconfig=kubeconfig, check=False)
    assert f'in the namespace "{namespace}"' in refused.stderr


def test_kubeconfig_may_name_a_token_file(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    kubeconfig = cluster.kubeconfig_for(token_file=cluster.control_plane.folder / "token")
    for account in ("first", "second"):
        (cluster.control_plane.folder / "token").write_text(cluster.service_account_token(namespace, account))
        assert f":{account}" in cluster.kubectl("auth", "whoami", kubeconfig=kubeconfig).stdout


def test_audit_finds_who_did_what(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    token = cluster.service_account_token(namespace, "bob")
    mark = cluster.audit_mark()
    with pytest.raises(ApiError):
        cluster.as_token(token).delete("Secret", "one", namespace=namespace)
    cluster.create(_secret("one"), namespace=namespace)
    events = cluster.audit(since=mark, user=f"system:serviceaccount:{namespace}:bob")

    assert [("delete", "secrets", "one", 403)] == [(each.verb, each.resource, each.name, each.code) for each in events]


def test_audit_sees_a_watch_while_it_runs(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    cluster.create(_secret("one"), namespace=namespace)
    watch = cluster.http.stream(f"/api/v1/namespaces/{namespace}/secrets", query={"watch": "1"})
    next(watch)

    assert ["ResponseStarted"] == [each.stage for each in cluster.audit(verb="watch", namespace=namespace)]


def test_watch_sees_a_secret_at_once(cluster: Cluster) -> None:
    """How fast is printed, not asserted: the product's own benchmark does that."""
    namespace = cluster.namespace("team")
    cluster.create(_secret("first"), namespace=namespace)
    watch = cluster.http.stream(f"/api/v1/namespaces/{namespace}/secrets", query={"watch": "1"})
    assert "first" == next(watch)["object"]["metadata"]["name"]
    begun = time.perf_counter()
    cluster.create(_secret("second"), namespace=namespace)
    written = time.perf_counter()
    seen = next(watch)["object"]["metadata"]["name"]
    print(f"write {(written - begun) * 1000:.1f} ms, seen {(time.perf_counter() - written) * 1000:.1f} ms later")

    assert "second" == seen


def test_link_hurts_one_client_only(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    link = cluster.link()
    far = cluster.as_token(cluster.service_account_token(namespace, "far"), server=link.url)
    assert "v1" in far.http.request("GET", "/version")["gitVersion"]
    link.cut()

    with pytest.raises(OSError, match=r"refused|reset"):
        far.http.request("GET", "/version")
    assert cluster.http.request("GET", "/version")
    link.restore()
    assert far.http.request("GET", "/version")


def test_namespaces_of_one_prefix_differ(cluster: Cluster) -> None:
    assert cluster.namespace("team") != cluster.namespace("team")


def test_pod_is_accepted_in_a_new_namespace(cluster: Cluster) -> None:
    containers = [{"name": "a", "image": "a"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": containers}}

    assert "default" == cluster.create(pod, namespace=cluster.namespace("team"))["spec"]["serviceAccountName"]


def test_api_server_publishes_its_own_endpoints(cluster: Cluster) -> None:
    found = cluster.get("EndpointSlice", "kubernetes", namespace="default")

    assert ([["192.0.2.1"]], [cluster.control_plane.port]) == (
        [each["addresses"] for each in found["endpoints"]],
        [port["port"] for port in found["ports"]],
    )


def test_nothing_of_a_test_is_left(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    cluster.create(
        {**_secret("one"), "metadata": {"name": "one", "finalizers": ["test.wardgate.dev/held"]}}, namespace=namespace
    )
    cluster.apply({**external_service(hosts=["a.test"]), "metadata": {"name": "one", "namespace": namespace}})
    cluster.kubectl("create", "clusterrole", "left-over", "--verb=get", "--resource=pods")
    cluster.kubectl("create", "configmap", "left-over", "-n", "default")
    cluster.http.request(
        "POST", f"/api/v1/namespaces/{namespace}/secrets", body={**_secret(""), "metadata": {"generateName": "many-"}}
    )
    cluster.wipe()

    assert namespace not in [each["metadata"]["name"] for each in cluster.list("Namespace")]
    left = [*cluster.list("Secret"), *cluster.list("ExternalService"), *cluster.list("ConfigMap", namespace="default")]
    left += [each for each in cluster.list("ClusterRole") if each["metadata"]["name"] == "left-over"]
    assert [] == left


def test_name_of_a_wiped_namespace_is_free_again(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.named_namespace("exactly-this")
        cluster.create(_secret("one"), namespace="exactly-this")
        cluster.wipe()


def test_failed_kubectl_is_an_error_that_shows_its_words(cluster: Cluster) -> None:
    with pytest.raises(AssertionError, match=r"(?s)kubectl get nonsense: status 1.*nonsense"):
        cluster.kubectl("get", "nonsense")


def test_real_helm_answers(cluster: Cluster, helm: Any) -> None:
    import subprocess

    said = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, timeout=30, check=True).stdout

    assert said.startswith("v4.")
