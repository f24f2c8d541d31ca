"""The daemons of the node, in the order of their start: the command of each, and the files that it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.node.places import (
    API_PORT,
    CREDENTIALS,
    DNS_SERVICE,
    DOMAIN,
    FOLDER,
    INSIDE,
    LOGS,
    NAME,
    PODS,
    SERVICES,
    SOCKET,
)

ISSUER: Final = f"https://kubernetes.default.svc.{DOMAIN}"
PAUSE_IMAGE: Final = "wardgate.dev/pause:1"
ETCD: Final = "http://127.0.0.1:2379"


def etcd(binaries: Path) -> list[str]:
    """The store; what it holds dies with the node."""
    return [str(binaries / "etcd"), f"--data-dir={FOLDER / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"]


def api_server(binaries: Path) -> list[str]:
    """The API server, with the admission and the authorization of a real cluster."""
    files = CREDENTIALS
    return [
        str(binaries / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--advertise-address={INSIDE}",
        f"--secure-port={API_PORT}",
        f"--tls-cert-file={files / 'server.pem'}",
        f"--tls-private-key-file={files / 'server.key'}",
        f"--client-ca-file={files / 'ca.pem'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        f"--service-cluster-ip-range={SERVICES}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={files / 'tokens.key'}",
        f"--service-account-signing-key-file={files / 'tokens.key'}",
        f"--kubelet-certificate-authority={files / 'ca.pem'}",
        f"--kubelet-client-certificate={files / 'kubelet-client.pem'}",
        f"--kubelet-client-key={files / 'kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={files / 'ca.pem'}",
        "--requestheader-allowed-names=nobody",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--shutdown-watch-termination-grace-period=500ms",
        f"--cert-dir={FOLDER / 'api-server'}",
    ]


def controller_manager(binaries: Path) -> list[str]:
    """The controllers: Deployments, HPAs, disruption, namespaces, garbage."""
    files = CREDENTIALS
    return [
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={files / 'kube-controller-manager.kubeconfig'}",
        f"--root-ca-file={files / 'ca.pem'}",
        f"--service-account-private-key-file={files / 'tokens.key'}",
        f"--cluster-signing-cert-file={files / 'ca.pem'}",
        f"--cluster-signing-key-file={files / 'ca.key'}",
        "--use-service-account-credentials",
        "--allocate-node-cidrs",
        f"--cluster-cidr={PODS}",
        f"--service-cluster-ip-range={SERVICES}",
        "--leader-elect=false",
        # An autoscaler that looks every 15 seconds would be most of the time that its test takes.
        "--horizontal-pod-autoscaler-sync-period=3s",
        # The only node is never given up: an API server that was away for a while would find no ready pods.
        "--node-monitor-grace-period=10m",
        f"--cert-dir={FOLDER / 'controller-manager'}",
    ]


def scheduler(binaries: Path) -> list[str]:
    """The scheduler."""
    kubeconfig = CREDENTIALS / "kube-scheduler.kubeconfig"
    return [
        str(binaries / "kube-scheduler"),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        f"--cert-dir={FOLDER / 'scheduler'}",
    ]


def containerd() -> list[str]:
    """Debian's containerd."""
    config = FOLDER / "containerd.toml"
    config.write_text(_CONTAINERD)
    network = FOLDER / "cni"
    network.mkdir()
    _write(network / "10-wardgate.conflist", _NETWORK)
    return ["/usr/bin/containerd", f"--config={config}"]


def kubelet(binaries: Path) -> list[str]:
    """The kubelet."""
    config = FOLDER / "kubelet.json"
    _write(config, _KUBELET)
    return [
        str(binaries / "kubelet"),
        f"--config={config}",
        f"--kubeconfig={CREDENTIALS / 'kubelet.kubeconfig'}",
        f"--root-dir={FOLDER / 'kubelet'}",
        f"--cert-dir={FOLDER / 'kubelet-certificates'}",
        f"--node-ip={INSIDE}",
        f"--hostname-override={NAME}",
    ]


def kube_proxy(binaries: Path) -> list[str]:
    """The Services' rules, in the node's own network namespace."""
    config = FOLDER / "kube-proxy.json"
    _write(config, _KUBE_PROXY)
    return [str(binaries / "kube-proxy"), f"--config={config}"]


def log_of(command: list[str]) -> Path:
    """Give the file that a part's output goes to."""
    return LOGS / f"{Path(command[0]).name}.log"


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="ascii")


# restrict_oom_score_adj: without CAP_SYS_RESOURCE the score cannot be lowered, and no pod would start.
_CONTAINERD: Final = f"""
version = 2
root = "{FOLDER}/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{FOLDER}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""

_NETWORK: Final[Mapping[str, Any]] = {
    "cniVersion": "0.4.0",
    "name": "wardgate",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.244.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}

_KUBELET: Final[Mapping[str, Any]] = {
    "kind": "KubeletConfiguration",
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "containerRuntimeEndpoint": f"unix://{SOCKET}",
    "cgroupDriver": "cgroupfs",
    "cgroupRoot": f"/{NAME}",
    "failCgroupV1": False,
    "failSwapOn": False,
    "resolvConf": "",
    "clusterDNS": [DNS_SERVICE],
    "clusterDomain": DOMAIN,
    "podLogsDir": str(FOLDER / "pod-logs"),
    "tlsCertFile": str(CREDENTIALS / "kubelet-server.pem"),
    "tlsPrivateKeyFile": str(CREDENTIALS / "kubelet-server.key"),
    "authentication": {
        "x509": {"clientCAFile": str(CREDENTIALS / "ca.pem")},
        "webhook": {"enabled": True},
        "anonymous": {"enabled": False},
    },
    "authorization": {"mode": "Webhook"},
    # The disk is the machine's, and is not the node's to judge.
    "evictionHard": {
        "memory.available": "0%",
        "nodefs.available": "0%",
        "nodefs.inodesFree": "0%",
        "imagefs.available": "0%",
    },
    "imageGCHighThresholdPercent": 100,
    "maxPods": 60,
}

# The limits of connection tracking are the whole machine's: zero leaves them alone.
_KUBE_PROXY: Final[Mapping[str, Any]] = {
    "kind": "KubeProxyConfiguration",
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
    "mode": "iptables",
    "clusterCIDR": PODS,
    "hostnameOverride": NAME,
    "clientConnection": {"kubeconfig": str(CREDENTIALS / "kube-proxy.kubeconfig")},
    "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
}
