"""A client of the API server that ``find_access`` finds."""

from __future__ import annotations

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.find_access import find_access


async def connect(
    *, kubeconfig: str | None = None, context: str | None = None, user_agent: str = "wardgate"
) -> KubeClient:
    """Make a client of it. Raises ``KubeError`` where there is no way to a cluster; whether it answers is not tried."""
    load, _ = await find_access(kubeconfig=kubeconfig, context=context)
    return KubeClient(load, user_agent=user_agent)
