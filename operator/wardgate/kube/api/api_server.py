"""The addresses of the API server, which no proxy may dial on a policy's behalf (invariant 12)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError
from wardgate.kube.api.resources import ENDPOINT_SLICES

_NAMESPACE = "default"
_SERVICE = "kubernetes"


async def api_server_addresses(client: KubeClient, environment: Mapping[str, str]) -> tuple[str, ...]:
    """``ip:port`` of the Service and of its endpoints, sorted. Raises ``KubeError``.

    A server that publishes no endpoints, or does not let us read them, leaves those out: the Service's own address
    is in the pod's environment.
    """
    found = set(_service(environment))
    try:
        found |= set(_endpoints(await client.get(ENDPOINT_SLICES.path(_NAMESPACE, _SERVICE))))
    except ApiError as error:
        if not (error.is_absent or error.is_forbidden):
            raise
    return tuple(sorted(found))


def _service(environment: Mapping[str, str]) -> Iterable[str]:
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if host and port:
        yield _address(host, port)


def _endpoints(endpoint_slice: Mapping[str, Any]) -> Iterable[str]:
    if endpoint_slice.get("addressType") not in {"IPv4", "IPv6"}:
        return
    for endpoint in endpoint_slice.get("endpoints") or ():
        for address in endpoint.get("addresses") or ():
            for port in endpoint_slice.get("ports") or ():
                if port.get("port"):
                    yield _address(address, port["port"])


def _address(host: str, port: object) -> str:
    ip = ipaddress.ip_address(host)
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"
