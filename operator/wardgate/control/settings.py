"""The settings of one installation of the operator: names, namespaces, rights to write. See ``docs/settings.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.kube.api.owner import Owner
from wardgate.kube.api.pacing import SILENCE
from wardgate.settings import Settings


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """``translation`` says which namespaces are read."""

    release: str
    namespace: str
    """Where the Lease and the state Secrets are."""
    config_namespace: str
    """Where the index and the shards are, and nothing else."""
    identity: str
    """This replica's name, in the Lease and in the index."""
    translation: Settings
    opaque_key_selector: str = ""
    """Labels of Opaque Secrets that are watched as well; empty: none are."""
    gateways: Mapping[str, str] = field(default_factory=dict)
    """Labels of this release's VirtualGateways; empty: all of the cluster's."""
    write_status: bool = True
    proxy_service: str = ""
    """The headless Service whose EndpointSlices name the proxies; empty: none."""
    proxy_admins: tuple[str, ...] = ()
    """URLs of proxies' admin endpoints, in the place of the Service."""
    admin: str = ""
    """``ADDR:PORT`` of the operator's own admin endpoints; empty: none."""
    owner: Owner | None = None
    """Ours, of the Lease and of the state Secrets: they go with it. None: they stay when the release is uninstalled."""
    watch_silence: float = SILENCE
    """Seconds without a word after which a watch is opened anew."""

    @property
    def service(self) -> str:
        """The Service at which callers reach the proxies, as the chart names it."""
        return f"{self.release}-proxy"
