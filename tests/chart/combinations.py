"""Values as the documents combine them. Each combination renders, is valid, and is taken by a real API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.chart.values import EVERY_VALUE, NLB

_UNTRUSTING = {
    "tenancy": "isolated",
    "platformNamespaces": ["default"],
    "watchNamespaces": ["default"],
    "keyNamespaces": ["default"],
    "requireAuth": True,
}
_AUTOSCALED = {"proxy": {"autoscaling": {"enabled": True, "targetMemoryUtilizationPercentage": 80}, "spread": "hard"}}

NAMED_NETWORK: dict[str, Any] = {
    "networkPolicy": {
        "enabled": True,
        "callers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "apps"}}}],
        "adminNetworks": ["10.1.0.0/16"],
        "upstreams": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
        "upstreamPorts": [443],
        "apiServer": [{"ipBlock": {"cidr": "10.96.0.1/32"}}],
    }
}
"""Everything that a policy can name is named."""

COMBINATIONS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "every value": EVERY_VALUE,
    "isolated": _UNTRUSTING,
    "autoscaled": _AUTOSCALED,
    "nlb": NLB,
    "nlb and closed network": {**NLB, "networkPolicy": {"enabled": True, "adminNetworks": ["10.0.64.0/20"]}},
    "scaled by others": {"proxy": {"replicas": None}, "operator": {"replicas": None, "spread": "none"}},
    "definitions": {"crds": {"manage": True}},
    "closed network": {"networkPolicy": {"enabled": True}},
    "named network": NAMED_NETWORK,
    "dashboard": {"monitoring": {"dashboard": {"enabled": True, "annotations": {"grafana_folder": "AI"}}}},
    "low ports": {"proxy": {"ports": [{"name": "https", "port": 443, "targetPort": 443}]}},
    "user of the platform": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
}
