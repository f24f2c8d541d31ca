"""Where the node lives: one folder, a few addresses, one name. There is one node on a machine.

Everything it writes is in the folder, which is removed with it. The folder is not below ``/run``, ``/var/lib`` or
``/var/log``, because the node sees a ``tmpfs`` of its own there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

NAME: Final = "wardgate-node"
FOLDER: Final = Path("/var/cache") / NAME
KUBECONFIG: Final = FOLDER / "kubeconfig"
LOGS: Final = FOLDER / "logs"
CREDENTIALS: Final = FOLDER / "credentials"
SOCKET: Final = Path("/run/containerd/containerd.sock")
"""As the node sees it."""

OUTSIDE_LINK: Final = "wardgate0"
OUTSIDE: Final = "10.200.0.1"
INSIDE: Final = "10.200.0.2"
"""The node's address, and its API server's."""
PREFIX: Final = 30
API_PORT: Final = 6443
PODS: Final = "10.244.0.0/16"
SERVICES: Final = "10.96.0.0/16"
API_SERVICE: Final = "10.96.0.1"
DNS_SERVICE: Final = "10.96.0.10"
DOMAIN: Final = "cluster.local"
