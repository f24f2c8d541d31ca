"""First stage: reads the objects that make routes, and builds the routes. Policies and keys are not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wardgate.api import ExternalEndpoint, ExternalService, VirtualGateway
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.destinations.endpoint_ports import report_unused_ports
from wardgate.translate.destinations.external_endpoints import ExternalEndpointPlan, read_external_endpoint
from wardgate.translate.destinations.external_services import ExternalServicePlan, read_external_service
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.findings import Findings
from wardgate.translate.incremental.memo import Versions, identical
from wardgate.translate.listening.gateway_reader import read_gateway
from wardgate.translate.listening.ports import OpenListener, assign_ports
from wardgate.translate.listening.table_attachment import TableAttachment
from wardgate.translate.manifests import labels_of
from wardgate.translate.plans.gateway_plans import GatewayPlan
from wardgate.translate.reading.last_good import Asked, LastGood, ObjectReader, ServedObject, served
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.route_builder import RouteBuilder, Routed
from wardgate.translate.secrets.secret_index import SecretIndex
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tables.served_tables import ReadTable, Tables, serve_tables
from wardgate.translate.tenancy import Tenancy

KINDS = ("VirtualGateway", "ExternalService", "ExternalEndpoint")
"""The kinds that this stage reads, beside RouteTables."""


@dataclass(frozen=True, slots=True)
class Routing:
    """``instances`` are all routes in the order of their numbers, by which policies are attached.

    ``tables`` hold both forms of each table, because a frozen tree takes its last good one as a whole. ``asked`` are
    the Secrets that objects name.
    """

    gateways: Sequence[ServedObject[GatewayPlan]]
    services: Sequence[ServedObject[ExternalServicePlan]]
    endpoints: Sequence[ServedObject[ExternalEndpointPlan]]
    tables: Tables
    upstreams: Upstreams
    listeners: Sequence[OpenListener]
    routed: Routed
    instances: Sequence[RouteInstance]
    finder: RouteFinder
    served_instead: Mapping[ObjectRef, StoredObject]
    findings: Findings
    asked: Asked
    made_of: Sequence[object]


def build_routes(
    snapshot: ClusterSnapshot,
    read_tables: Sequence[ReadTable],
    *,
    past: LastGood,
    past_tables: LastGood,
    settings: Settings,
    secrets: SecretIndex,
    versions: Versions,
    last: Routing | None,
) -> Routing:
    """Read the objects, open the listeners, build the routes; return the ``last`` value if all inputs are the same."""
    forms = ObjectReader(past, settings=settings, secrets=secrets, versions=versions)
    gateways = forms.read_all(snapshot.of("VirtualGateway"), VirtualGateway, read=read_gateway)
    services = forms.read_all(snapshot.of("ExternalService"), ExternalService, read=read_external_service)
    endpoints = forms.read_all(snapshot.of("ExternalEndpoint"), ExternalEndpoint, read=read_external_endpoint)
    made_of = (*gateways, *services, *endpoints, read_tables, past_tables, *snapshot.of("Service"))
    if last is not None and identical(last.made_of, made_of):
        return last
    tables = serve_tables(
        read_tables,
        past_tables,
        settings=settings,
        versions=versions,
        findings=forms.findings,
        served_instead=forms.served_instead,
    )
    upstreams = Upstreams(
        served(services), served(endpoints), settings=settings, service_labels=_service_labels(snapshot)
    )
    report_unused_ports(served(services), upstreams, tenancy=Tenancy.of(settings), findings=forms.findings)
    plans = [one.served.value for one in gateways if one.served.value is not None]
    listeners = assign_ports([one for one in plans if one.is_ours], forms.findings)
    routed = RouteBuilder(
        tables,
        listeners,
        attachment=TableAttachment(served(gateways), listeners, settings=settings, findings=forms.findings),
        upstreams=upstreams,
        settings=settings,
        findings=forms.findings,
    ).run()
    instances = [instance for host in routed.hosts for instance in host.instances]
    return Routing(
        gateways=served(gateways),
        services=served(services),
        endpoints=served(endpoints),
        tables=tables,
        upstreams=upstreams,
        listeners=listeners,
        routed=routed,
        instances=instances,
        finder=RouteFinder(instances, cluster_name=settings.cluster_name),
        served_instead=forms.served_instead,
        findings=forms.findings,
        asked=forms.asked,
        made_of=made_of,
    )


def _service_labels(snapshot: ClusterSnapshot) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """The labels of Services, as far as they are known: Services are not watched, but a folder may hold some."""
    services = snapshot.of("Service")
    return {(one.ref.namespace, one.ref.name): frozenset(labels_of(one.manifest).items()) for one in services}
