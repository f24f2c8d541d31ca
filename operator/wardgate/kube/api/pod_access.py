"""Access to the API server of the cluster that this process runs in, as every pod is given it.

The environment and the files are those that Kubernetes documents for pods ("Accessing the Kubernetes API from a Pod").
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wardgate.kube.api.access import Access, NoAccess

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts the token and the authority."""


def pod_access(environment: Mapping[str, str], files: Path = SERVICE_ACCOUNT) -> Access:
    """Read it; the token is the newest that the kubelet has put there. Raises ``NoAccess`` outside a pod."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        msg = "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"
        raise NoAccess(msg)
    authority = files / "ca.crt"
    _read(authority)
    name = f"[{host}]" if ":" in host else host
    return Access(
        url=f"https://{name}:{port}", authorization=f"Bearer {_read(files / 'token')}", ca_file=str(authority)
    )


def _read(file: Path) -> str:
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read ({type(error).__name__})"
        raise NoAccess(msg) from error
    if not text:
        msg = f"{file} is empty"
        raise NoAccess(msg)
    return text
