"""The pods that the node itself needs: the image of every pod's first container, and CoreDNS with its image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.node.archive import files_layer, write_image
from tests.node.parts import PAUSE_IMAGE
from tests.node.places import DNS_SERVICE, DOMAIN

COREDNS_IMAGE: Final = "wardgate.dev/coredns:1"
_LABELS: Final = {"k8s-app": "kube-dns"}

# The names outside the cluster are a server block of their own: in one with `kubernetes`, the template would win.
COREFILE: Final = f"""
{DOMAIN}:53 {{
    errors
    ready
    kubernetes {DOMAIN} {{
        ttl 5
    }}
}}
.:53 {{
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def program_image(program: Path, target: Path, *, name: str) -> None:
    """Write an image with nothing but one static program, which it runs."""
    layer = target.with_suffix(".layer")
    files_layer({program.name: program.read_bytes()}, layer, mode=0o755)
    write_image(target, name=name, layers=[layer], config={"Entrypoint": [f"/{program.name}"], "User": "65532:65532"})
    layer.unlink()


def pause_image(program: Path, target: Path) -> None:
    """Write the image that holds a pod's namespaces."""
    program_image(program, target, name=PAUSE_IMAGE)


def coredns_image(program: Path, target: Path) -> None:
    """Write the image of CoreDNS."""
    program_image(program, target, name=COREDNS_IMAGE)


def coredns() -> list[Mapping[str, Any]]:
    """Give the objects of the cluster's DNS."""
    metadata = {"name": "coredns", "namespace": "kube-system"}
    cluster_wide = {"name": "wardgate:coredns"}
    rbac = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": rbac, "kind": "ClusterRole", **cluster_wide}
    subject = {"kind": "ServiceAccount", **metadata}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    service = {"clusterIP": DNS_SERVICE, "selector": _LABELS, "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": cluster_wide, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": cluster_wide,
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"Corefile": COREFILE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata, "name": "kube-dns"}, "spec": service},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": _deployment()},
    ]


def _deployment() -> dict[str, Any]:
    container = {
        "name": "coredns",
        "image": COREDNS_IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
        # A busy machine may be slow to answer; names must not go away because of that.
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": 8181},
            "periodSeconds": 1,
            "timeoutSeconds": 10,
            "failureThreshold": 12,
        },
        "securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}, "runAsUser": 0},
    }
    pod = {
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
