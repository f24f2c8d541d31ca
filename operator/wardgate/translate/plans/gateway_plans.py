"""One VirtualGateway by itself: its listeners, and the tables that they let in."""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.ir import FrontProxies, ListenerTls
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.plans.table_plans import Labels, RouteFilter


@dataclass(frozen=True, slots=True)
class AllowedTables:
    """One ``allowedRouteTables`` entry. ``host_namespace`` not None: only tables of that namespace (``ns/host``)."""

    host: str
    host_namespace: str | None = None
    name: str | None = None
    namespace: str | None = None
    labels: Labels = frozenset()
    cluster: str | None = None
    allowed: tuple[RouteFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """``allowed`` None lets any table in. ``index`` is that of ``spec.listeners``."""

    index: int
    port: int
    tls: ListenerTls | None = None
    https_redirect: bool = False
    front: FrontProxies = field(default_factory=FrontProxies)
    allowed: tuple[AllowedTables, ...] | None = None

    @property
    def only_redirects(self) -> bool:
        """Whether it serves no route. Behind a believed proxy that ends TLS, requests that came by https are served."""
        return self.https_redirect and not self.front.trusted_hops


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """``is_ours``: the installation's gateway is among its workloads."""

    stored: StoredObject
    is_ours: bool
    listeners: tuple[ListenerPlan, ...]

    @property
    def ref(self) -> ObjectRef:
        """The VirtualGateway."""
        return self.stored.ref
