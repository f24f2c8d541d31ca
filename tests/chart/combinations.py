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

COMBINATIONS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "every value": EVERY_VALUE,
    "isolated": _UNTRUSTING,
    "autoscaled": _AUTOSCALED,
    "nlb": NLB,
    "scaled by others": {"proxy": {"replicas": None}, "operator": {"replicas": None, "spread": "none"}},
    "definitions": {"crds": {"manage": True}},
    "low ports": {"proxy": {"ports": [{"name": "https", "port": 443, "targetPort": 443}]}},
    "user of the platform": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
}
