"""``wardgate status`` on the real API server: what a person may read is shown, a proxy is reached through its Pod."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import Wardgate
from tests.cluster.cluster import Cluster
from wardgate.api import KINDS
from wardgate.kube.delivery.index import Index, index_manifest
from wardgate.wire.bundle import revision_of

pytestmark = pytest.mark.measured

_REVISION = revision_of(schema="1.0", hashes={})
_SEQUENCE = 1_772_000_000_000
_POLICY = """
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: apikey}
spec: {config: {disable: true}}
"""


@pytest.fixture
def admin_port() -> Iterator[int]:
    """A proxy's admin port that Pods' addresses lead to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"revision": _REVISION, "schema": "1.0", "reads": [1], "sequence": _SEQUENCE}).encode()
            self.send_response(200 if self.path == "/revision" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Keep quiet."""

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _own_address() -> str:
    """An address of this machine that is no loopback: the API server leads nobody there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def _install(cluster: Cluster, namespace: str, config: str, *, port: int) -> None:
    """What operator, controllers and kubelet would have made."""
    now = datetime.now(UTC)
    index = Index("1.0", _REVISION, _SEQUENCE, "op-0", (now - timedelta(seconds=4)).isoformat(), ())
    cluster.create(index_manifest(index, release="wardgate", namespace=config))
    lease = {"holderIdentity": "op-0", "leaseDurationSeconds": 60, "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    cluster.create(_object("coordination.k8s.io/v1", "Lease", "wardgate-operator", namespace, spec=lease))
    containers = [{"name": "proxy", "image": "wardgate"}]
    cluster.create(_object("v1", "Pod", "proxy-0", namespace, spec={"containers": containers}))
    address = _own_address()
    running = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    cluster.patch("Pod", "proxy-0", {"status": running}, namespace=namespace, subresource="status")
    endpoint = {
        "addresses": [address],
        "conditions": {"ready": True, "serving": True},
        "targetRef": {"kind": "Pod", "name": "proxy-0"},
    }
    pieces = _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "admin",
        namespace,
        addressType="IPv4",
        ports=[{"name": "admin", "port": port}],
        endpoints=[endpoint],
    )
    pieces["metadata"]["labels"] = {"kubernetes.io/service-name": "wardgate-proxy-admin"}
    cluster.create(pieces)


def _object(version: str, kind: str, name: str, namespace: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}


def _viewer(cluster: Cluster, namespace: str, *rules: dict[str, Any]) -> tuple[Path, str]:
    """Somebody who may read our kinds, and what the rules say besides."""
    token = cluster.service_account_token(namespace, "viewer")
    user = f"system:serviceaccount:{namespace}:viewer"
    group, name = "rbac.authorization.k8s.io", f"viewer-{namespace}"
    kinds = [{"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["list"]} for kind in KINDS.values()]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [*kinds, *rules]}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": namespace}],
    }
    cluster.apply([role, binding])
    cluster.wait_until(lambda: cluster.can(user, "list", "extauthpolicies"), seconds=10, what="the rights count")
    return cluster.kubeconfig_for(token=token), user


_EVERYTHING: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
]


def test_installation_is_shown_without_a_value_of_a_secret(
    cluster: Cluster, wardgate: Wardgate, admin_port: int
) -> None:
    namespace, config = cluster.namespace("wardgate"), cluster.namespace("wardgate-config")
    _install(cluster, namespace, config, port=admin_port)
    cluster.apply(_POLICY, namespace=namespace)
    cluster.create(
        _object("v1", "Secret", "caller", namespace, type="extauth.solo.io/apikey", stringData={"api-key": "sesame"})
    )
    cluster.create(_object("v1", "Secret", "other", namespace, stringData={"password": "sesame"}))
    kubeconfig, user = _viewer(cluster, namespace, *_EVERYTHING)
    mark = cluster.audit_mark()

    place = ("--kubeconfig", str(kubeconfig), "-n", namespace, "--config-namespace", config)
    text = wardgate("status", *place)
    document = json.loads(wardgate("status", *place, "-o", "json").out)

    assert (0, "") == (text.status, text.err)
    assert "what is published" in text.out
    assert "op-0 leads" in text.out
    assert (_REVISION, _SEQUENCE) == (document["config"]["revision"], document["config"]["sequence"])
    assert [("proxy-0", True, "", _REVISION)] == [
        (one["name"], one["ready"], one["trouble"], one["serves"]["revision"]) for one in document["proxies"]
    ]
    assert [(namespace, "caller")] == [
        (key["namespace"], key["name"]) for key in document["keys"] if key["namespace"] == namespace
    ]
    assert "sesame" not in text.out + json.dumps(document)
    read = {(event.verb, event.resource, event.name) for event in cluster.audit(since=mark, user=user)}
    assert {("list", "secrets", ""), ("get", "secrets", "wardgate-index")} == {
        one for one in read if one[1] == "secrets"
    }
    assert {"get", "list"} == {verb for verb, _, _ in read}


def test_what_a_person_may_not_read_is_said(cluster: Cluster, wardgate: Wardgate, admin_port: int) -> None:
    namespace, config = cluster.namespace("wardgate"), cluster.namespace("wardgate-config")
    _install(cluster, namespace, config, port=admin_port)
    kubeconfig, _ = _viewer(cluster, namespace, _EVERYTHING[3])
    place = ("--kubeconfig", str(kubeconfig), "-n", namespace, "--config-namespace", config)
    document = json.loads(wardgate("status", *place, "-o", "json").out)

    assert [
        f"You may not get Lease {namespace}/wardgate-operator: who leads is not known.",
        f"You may not get Secret {config}/wardgate-index: what is published is not known.",
        "You may not list Secrets in all namespaces: keys are counted, not named.",
    ] == document["unknown"]
    (proxy,) = document["proxies"]
    assert f"it was not asked, because you may not get pods/proxy in namespace {namespace}" == proxy["trouble"]


def test_proxy_whose_port_is_closed_is_said(cluster: Cluster, wardgate: Wardgate) -> None:
    namespace, config = cluster.namespace("wardgate"), cluster.namespace("wardgate-config")
    with socket.socket() as closed:
        closed.bind(("0.0.0.0", 0))
        _install(cluster, namespace, config, port=closed.getsockname()[1])
        place = ("-n", namespace, "--config-namespace", config, "-o", "json")
        document = json.loads(wardgate("status", "--kubeconfig", str(cluster.admin_kubeconfig), *place).out)

    (proxy,) = document["proxies"]
    assert "its admin port cannot be reached through the API server (503)" == proxy["trouble"]
    assert ("serves", None) == ("serves", proxy["serves"])


def test_nothing_installed_and_no_rights_are_told_apart(cluster: Cluster, wardgate: Wardgate) -> None:
    namespace = cluster.namespace("nobody")
    nobody = cluster.kubeconfig_for(token=cluster.service_account_token(namespace, "nobody"))
    denied = wardgate("status", "--kubeconfig", str(nobody))
    missing = wardgate("status", "--kubeconfig", str(cluster.admin_kubeconfig), "--release", "nowhere")
    stranger = wardgate("status", "--kubeconfig", str(cluster.kubeconfig_for(token="wrong")))

    assert "You may list none of Wardgate's kinds in all namespaces (403)." in denied.err
    assert 'There is no release "nowhere" in namespace "wardgate"' in missing.err
    assert "The API server does not know you (401)" in stranger.err
    assert [1, 1, 1] == [ended.status for ended in (denied, missing, stranger)]


def test_cluster_without_our_crds_is_told(private_cluster: Cluster, wardgate: Wardgate) -> None:
    for kind in KINDS.values():
        private_cluster.delete_crd(f"{kind.plural}.{kind.group}")
    kubeconfig = str(private_cluster.admin_kubeconfig)
    private_cluster.wait_until(
        lambda: "none of Wardgate's CRDs" in wardgate("status", "--kubeconfig", kubeconfig).err,
        seconds=60,
        what="the kinds are gone",
    )
