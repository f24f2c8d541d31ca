"""Finds the API server: the kubeconfig that is named, else the pod's own, else the default kubeconfig.

Loads no client: a proxy has its workers started before it loads one (``cli/serve/cluster_config.py``).
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from wardgate.kube.api.access import Access, Load, NoAccess
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pod_access import pod_access


async def find_access(*, kubeconfig: str | None = None, context: str | None = None) -> tuple[Load, Access]:
    """Give how the access is read, and what it is now. Raises ``KubeError`` where there is no way to a cluster.

    Whether the server answers is not tried.
    """

    async def load() -> Access:
        if kubeconfig is None and context is None:
            with suppress(NoAccess):
                return await asyncio.to_thread(pod_access, os.environ)
        # Late: it brings a reader of YAML, and a proxy in a pod does without.
        from wardgate.kube.api.kubeconfig import kubeconfig_access  # noqa: PLC0415

        return await kubeconfig_access(kubeconfig, context)

    try:
        return load, await load()
    except NoAccess as error:
        msg = f"No cluster to talk to: {error}. Run in a pod, or name a kubeconfig with --kubeconfig or KUBECONFIG."
        raise KubeError(msg) from error
