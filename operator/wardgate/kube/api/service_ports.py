"""The ports of a Service: where callers reach the proxies."""

from __future__ import annotations

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError
from wardgate.kube.api.resources import SERVICES


async def service_ports(client: KubeClient, *, namespace: str, name: str) -> frozenset[int]:
    """Return its TCP ports; empty where it is absent, or we may not read it. Raises ``KubeError``."""
    try:
        service = await client.get(SERVICES.path(namespace, name))
    except ApiError as error:
        if error.is_absent or error.is_forbidden:
            return frozenset()
        raise
    ports = service.get("spec", {}).get("ports") or ()
    return frozenset(port["port"] for port in ports if port.get("protocol", "TCP") == "TCP")
