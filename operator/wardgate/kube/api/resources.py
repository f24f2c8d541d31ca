"""Groups, plurals and paths of the API server. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API server addresses it. ``group`` is empty for the core API."""

    kind: str
    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """As it stands in a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, *, subresource: str | None = None) -> str:
        """The path of a collection (without a name) or an object; without a namespace of all namespaces."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        if subresource is not None:
            parts.append(subresource)
        return "/" + "/".join(quote(part, safe="") for part in parts)


SECRETS: Final = Resource("Secret", "", "v1", "secrets")
SERVICES: Final = Resource("Service", "", "v1", "services")
SERVICE_ACCOUNTS: Final = Resource("ServiceAccount", "", "v1", "serviceaccounts")
LEASES: Final = Resource("Lease", "coordination.k8s.io", "v1", "leases")
EVENTS: Final = Resource("Event", "events.k8s.io", "v1", "events")
ENDPOINT_SLICES: Final = Resource("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
