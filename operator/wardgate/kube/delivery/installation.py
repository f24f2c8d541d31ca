"""The name of an installation: all its proxies have it, and those of no other.

A release and its config namespace are one installation of a cluster; the cluster is known by the authority of its API
server, which every pod holds and which is made anew for every cluster. Nobody has to be asked for it, so that a proxy
that starts while the API server is away has the same name as the others.
"""

from __future__ import annotations

from hashlib import sha256

from wardgate.kube.api.access import Access
from wardgate.kube.delivery.config_location import ConfigLocation


def name_installation(access: Access, location: ConfigLocation) -> str:
    """Make the name. Where no authority can be read, the server's address stands in for it."""
    return f"{sha256(_authority(access)).hexdigest()}/{location.namespace}/{location.release}"


def _authority(access: Access) -> bytes:
    try:
        return access.authorities() or access.url.encode()
    except OSError:
        return access.url.encode()
