"""RouteTable: which requests of which hosts go where, directly or through other tables."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.http_route import HttpRoute
from wardgate.api.kinds.references import DestinationReference, ObjectReference
from wardgate.api.kinds.selectors import DestinationSelector, WorkloadSelector
from wardgate.api.rules.bounds import Host, Int32, Items, Line, OptionalItems, Table, null_is
from wardgate.api.rules.model import ApiModel, JsonObject, KubernetesObject, OpenModel
from wardgate.api.rules.rules import Rule, at_least_one, filled


def _hosts_or_child(spec: RouteTableSpec) -> bool:
    only_roots = (spec.virtual_gateways, spec.apply_to_destinations, spec.failure_mode)
    return bool(spec.hosts) or not any(only_roots)


def _default_is_used(spec: RouteTableSpec) -> bool:
    if spec.default_destination is None or spec.tcp or spec.tls:
        return True
    return any(route.forward_to is not None for route in spec.http)


def _default_is_there(spec: RouteTableSpec) -> bool:
    return spec.default_destination is not None or not any(
        route.forward_to is not None and not route.forward_to.destinations for route in spec.http
    )


class TcpRoute(OpenModel):
    """A route for TCP connections. Not supported by Wardgate."""


class TlsRoute(OpenModel):
    """A route for TLS connections that are passed through. Not supported by Wardgate."""


class RouteTableSpec(ApiModel):
    """Hosts and their routes. A table without hosts is a child: it acts only where another table delegates to it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_least_one(
            filled("http"),
            filled("tcp"),
            filled("tls"),
            message="Give at least one route under http: tcp and tls are not supported.",
        ),
        Rule(
            "(has(self.hosts) && size(self.hosts) > 0) || !("
            "(has(self.virtualGateways) && size(self.virtualGateways) > 0) || "
            "(has(self.applyToDestinations) && size(self.applyToDestinations) > 0) || has(self.failureMode))",
            "Without hosts a table is a child and takes virtualGateways, applyToDestinations and failureMode from its "
            "parent: add hosts, or remove these.",
            _hosts_or_child,
        ),
        Rule(
            "!has(self.defaultDestination) || (has(self.tcp) && size(self.tcp) > 0) || "
            "(has(self.tls) && size(self.tls) > 0) || (has(self.http) && self.http.exists(r, has(r.forwardTo)))",
            "defaultDestination is used only by routes with forwardTo: add one, or remove defaultDestination.",
            _default_is_used,
        ),
        Rule(
            "has(self.defaultDestination) || !has(self.http) || !self.http.exists(r, has(r.forwardTo) && "
            "(!has(r.forwardTo.destinations) || size(r.forwardTo.destinations) == 0))",
            "A route with forwardTo has no destinations: add some, or give the table a defaultDestination.",
            _default_is_there,
        ),
    )

    hosts: Items[Host] = Field((), max_length=256, description="Host names of a root table; absent for a child.")
    virtual_gateways: Items[ObjectReference] = Field(
        (), max_length=64, description="Gateways that serve a root table; children inherit them."
    )
    workload_selectors: OptionalItems[WorkloadSelector] = Field(
        None, max_length=64, description="Workloads inside the mesh. No effect in Wardgate, which serves gateways."
    )
    apply_to_destinations: Items[DestinationSelector] = Field(
        (), max_length=64, description="Destinations inside the mesh. No effect in Wardgate, which serves gateways."
    )
    default_destination: DestinationReference | None = Field(
        None, description="Where routes with forwardTo and without destinations send requests."
    )
    http: Items[HttpRoute] = Field((), max_length=1024, description="Routes for HTTP; the first that matches is taken.")
    tcp: Items[TcpRoute] = Field((), max_length=256, description="Routes for TCP. Not supported by Wardgate.")
    tls: Items[TlsRoute] = Field(
        (), max_length=256, description="Routes for TLS passed through. Not supported by Wardgate."
    )
    weight: Annotated[Int32, null_is(0)] = Field(
        0, description="Order among tables that a parent delegates to; the higher goes first, 0 if absent."
    )
    portal_metadata: JsonObject | None = Field(None, description="For a developer portal. No effect in Wardgate.")
    virtual_service_annotations: Table[Line] = Field({}, max_length=64, description="For Istio. No effect in Wardgate.")
    failure_mode: Literal["ROUTE_REPLACEMENT", "FREEZE_CONFIG"] | None = Field(
        None,
        description="What a bad route costs: itself, answered with 500 (if absent), or every change of the whole tree.",
    )


class RouteTable(KubernetesObject):
    """Says which requests go where."""

    spec: RouteTableSpec = Field(description="Hosts and their routes.")
