"""Values that differ from every default that shows in a manifest."""

from __future__ import annotations

from typing import Any

import yaml

from tests.chart.helm import CHART

NLB: dict[str, Any] = yaml.safe_load((CHART / "values-nlb.yaml").read_text())
"""The values beside the chart for an AWS Network Load Balancer."""

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The container's part of the restricted Pod Security Standard, and a read-only file system."""

EVERY_VALUE: dict[str, Any] = {
    "commonLabels": {"team": "platform"},
    "commonAnnotations": {"example.com/contact": "platform"},
    "image": {
        "repository": "registry.example/platform/wardgate",
        "tag": "1.2.3",
        "pullPolicy": "Always",
    },
    "imagePullSecrets": ["registry-login", {"name": "another-login"}],
    "configNamespace": {"name": "gateway-config"},
    "watchNamespaces": ["platform", "team-a"],
    "keyNamespaces": ["keys"],
    "tenancy": "isolated",
    "platformNamespaces": ["platform"],
    "requireAuth": True,
    "foreignGuards": "ignore",
    "gateways": "team=ai,stage=live",
    "opaqueKeySelector": "wardgate.dev/key=true",
    "writeStatus": False,
    "operator": {
        "replicas": 3,
        "settings": {"credential_bytes": 67108864, "cluster_domain": "example.local", "user_id_to_external": True},
        "labels": {"owner": "edge"},
        "annotations": {"reloader.stakater.com/auto": "true"},
        "podLabels": {"cost-centre": "42"},
        "priorityClassName": "system-cluster-critical",
        "runtimeClassName": "gvisor",
        "schedulerName": "another",
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["provider.internal"]}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "extraArgs": ["--set=watch_silence=30"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://egress.internal:3128"}],
        "extraEnvFrom": [{"secretRef": {"name": "more"}}],
        "extraVolumes": [{"name": "certificates", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "certificates", "mountPath": "/certificates"}],
        "initContainers": [{"name": "first", "image": "first:1", "securityContext": RESTRICTED}],
        "extraContainers": [{"name": "beside", "image": "beside:1", "securityContext": RESTRICTED}],
        "minReadySeconds": 3,
        "revisionHistoryLimit": 4,
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"},
        ],
        "podDisruptionBudget": {"minAvailable": "50%"},
        "podAnnotations": {"example.com/note": "operator"},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "operator"}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
    "proxy": {
        "replicas": 4,
        "workers": 3,
        "ports": [
            {"name": "http", "port": 80, "targetPort": 18080},
            {"name": "plain", "port": 9000, "targetPort": 9000, "nodePort": 30900, "appProtocol": "http"},
            {"name": "lowest", "port": 443, "targetPort": 43},
            {"name": "low", "port": 81, "targetPort": 81},
        ],
        "service": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "labels": {"exposed": "yes"},
            "annotations": {"example.com/scheme": "internal"},
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": ["IPv4"],
            "externalIPs": ["192.0.2.7"],
            "internalTrafficPolicy": "Local",
            "sessionAffinity": "ClientIP",
            "loadBalancerClass": "example.com/balancer",
            "loadBalancerIP": "192.0.2.8",
            "loadBalancerSourceRanges": ["192.0.2.0/24"],
            "allocateLoadBalancerNodePorts": True,
            "proxyProtocol": True,
        },
        "resolve": ["api.openai.com:443=10.20.0.5:443", "huggingface.co:443=[fd00::5]:443"],
        "upstreamCa": {"secret": "corporate-ca", "key": "root.pem"},
        "maxConfigAge": 1000000,
        "shutdownDelaySeconds": 7,
        "drainSeconds": 120,
        "cacheSizeLimit": "256Mi",
        "settings": {"limits.body_bytes": 67108864, "timeouts.connect": 2.5},
        "labels": {"owner": "edge"},
        "annotations": {"reloader.stakater.com/auto": "true"},
        "podLabels": {"cost-centre": "42"},
        "priorityClassName": "system-cluster-critical",
        "runtimeClassName": "gvisor",
        "schedulerName": "another",
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["provider.internal"]}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "extraArgs": ["--set=watch_silence=30"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://egress.internal:3128"}],
        "extraEnvFrom": [{"secretRef": {"name": "more"}}],
        "extraVolumes": [{"name": "certificates", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "certificates", "mountPath": "/certificates"}],
        "initContainers": [{"name": "first", "image": "first:1", "securityContext": RESTRICTED}],
        "extraContainers": [{"name": "beside", "image": "beside:1", "securityContext": RESTRICTED}],
        "minReadySeconds": 3,
        "revisionHistoryLimit": 4,
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"},
        ],
        "podDisruptionBudget": {"minAvailable": "50%"},
        "podAnnotations": {"example.com/note": "proxy"},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "proxy"}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
}
