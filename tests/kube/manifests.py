"""API objects as the API server sends them."""

from __future__ import annotations

import base64
from typing import Any

from wardgate.api import KINDS

KEY_TYPE = "extauth.solo.io/apikey"


def secret(name: str, *, namespace: str = "apps", version: int = 1, key: str = "k", **labels: str) -> dict[str, Any]:
    """A key Secret."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2025-01-01T00:00:00Z",
            "labels": labels,
        },
        "type": KEY_TYPE,
        "data": {"api-key": base64.b64encode(key.encode()).decode()},
    }


def external_service(
    name: str, *, namespace: str = "apps", version: int = 1, host: str = "api.example.com", **labels: str
) -> dict[str, Any]:
    """An object of one of our kinds."""
    return {
        "apiVersion": KINDS["ExternalService"].api_version,
        "kind": "ExternalService",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": "2025-01-01T00:00:00Z",
            "labels": labels,
        },
        "spec": {"hosts": [host], "ports": [{"name": "https", "number": 443, "protocol": "HTTPS"}]},
    }


def event(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """A watch's event."""
    return {"type": kind, "object": manifest}


def bookmark(version: int) -> dict[str, Any]:
    """A bookmark."""
    return event("BOOKMARK", {"kind": "Secret", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}})
