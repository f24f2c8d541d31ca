"""Every object of a snapshot, read in the form that is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wardgate.api import (
    ExtAuthPolicy,
    ExtAuthServer,
    ExternalEndpoint,
    ExternalService,
    KubernetesObject,
    TransformationPolicy,
    VirtualGateway,
)
from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot
from wardgate.translate.cluster_names import ignored_names
from wardgate.translate.contract import ParsedObject, PolicyOutcome, Scope, TransformationOutcome
from wardgate.translate.destinations.external_endpoints import ExternalEndpointPlan, read_external_endpoint
from wardgate.translate.destinations.external_services import ExternalServicePlan, read_external_service
from wardgate.translate.findings import Findings
from wardgate.translate.forms import Forms, LastGood, Reading, Served
from wardgate.translate.listening.gateway_reader import read_gateway
from wardgate.translate.listening.gateways import GatewayPlan
from wardgate.translate.policies.ext_auth_servers import read_server
from wardgate.translate.policies.extauth import server_problems, translate_ext_auth
from wardgate.translate.policies.transformations import translate_transformation
from wardgate.translate.routes.routing import Tables
from wardgate.translate.routes.table_forms import settle_tables

_ModelT = TypeVar("_ModelT", bound=KubernetesObject)
_ValueT = TypeVar("_ValueT")


@dataclass(frozen=True, slots=True)
class Objects:
    """By kind. ``tables`` come in two forms, because a frozen tree takes its last good one as a whole."""

    gateways: Sequence[Served[GatewayPlan]]
    tables: Tables
    services: Sequence[Served[ExternalServicePlan]]
    endpoints: Sequence[Served[ExternalEndpointPlan]]
    auth: Sequence[Served[PolicyOutcome]]
    transformations: Sequence[Served[TransformationOutcome]]
    servers: Sequence[Served[ExtAuthServer]]


def read_objects(
    snapshot: ClusterSnapshot, last_good: LastGood, *, forms: Forms, scope: Scope, findings: Findings
) -> Objects:
    """Read them all; what is wrong with one costs no other."""
    servers = {stored.ref for stored in snapshot.of("ExtAuthServer")}

    def all_of(
        model: type[_ModelT], read: Callable[[ParsedObject[_ModelT]], Reading[_ValueT]]
    ) -> list[Served[_ValueT]]:
        def with_names(parsed: ParsedObject[_ModelT]) -> Reading[_ValueT]:
            reading = read(parsed)
            ignored = ignored_names(parsed.model, parsed.ref, scope.settings)
            return Reading(reading.value, (*reading.problems, *ignored))

        return [forms.settle(stored, model, with_names) for stored in snapshot.of(model.__name__)]

    return Objects(
        gateways=all_of(VirtualGateway, lambda parsed: read_gateway(parsed, scope)),
        tables=settle_tables(
            snapshot.of("RouteTable"),
            last_good,
            settings=scope.settings,
            memo=scope.memo,
            findings=findings,
            served_instead=forms.served_instead,
        ),
        services=all_of(ExternalService, lambda parsed: read_external_service(parsed, scope)),
        endpoints=all_of(ExternalEndpoint, lambda parsed: read_external_endpoint(parsed, scope)),
        auth=all_of(ExtAuthPolicy, lambda parsed: _auth(parsed, servers, scope)),
        transformations=all_of(TransformationPolicy, lambda parsed: _transformation(parsed, scope)),
        servers=all_of(ExtAuthServer, read_server),
    )


def _auth(parsed: ParsedObject[ExtAuthPolicy], servers: set[ObjectRef], scope: Scope) -> Reading[PolicyOutcome]:
    outcome = translate_ext_auth(parsed, scope)
    return Reading(outcome, (*outcome.problems, *server_problems(parsed, servers)))


def _transformation(parsed: ParsedObject[TransformationPolicy], scope: Scope) -> Reading[TransformationOutcome]:
    outcome = translate_transformation(parsed, scope)
    return Reading(outcome, outcome.problems)
