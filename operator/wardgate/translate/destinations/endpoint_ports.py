"""Ports of ExternalEndpoints that are never dialled, because no ExternalService that selects them knows their name.

The findings name only services of the endpoint's own owner: a tenant's selector makes no finding on a platform's
endpoint. A port with a number that is dialled anyway needs no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wardgate.problems import ObjectRef, Reason, format_path
from wardgate.translate.destinations.external_endpoints import EndpointPortPlan, ExternalEndpointPlan
from wardgate.translate.destinations.external_services import ExternalServicePlan
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.findings import Findings
from wardgate.translate.reading.last_good import ServedObject
from wardgate.translate.tenancy import Tenancy


def report_unused_ports(
    services: Iterable[ServedObject[ExternalServicePlan]], upstreams: Upstreams, *, tenancy: Tenancy, findings: Findings
) -> None:
    """Warn of every port of an endpoint whose name no selecting service knows."""
    selecting: dict[ObjectRef, list[ExternalServicePlan]] = {}
    plans: dict[ObjectRef, ExternalEndpointPlan] = {}
    for service in services:
        for endpoint in [] if service.value is None else upstreams.endpoints_of(service.value):
            assert service.value is not None
            plans[endpoint.ref] = endpoint
            selecting.setdefault(endpoint.ref, []).append(service.value)
    for ref, endpoint in plans.items():
        own = [one for one in selecting[ref] if tenancy.owner(one.ref.namespace) == tenancy.owner(ref.namespace)]
        if own:
            _report(endpoint, own, selecting=selecting[ref], findings=findings)


def _report(
    endpoint: ExternalEndpointPlan,
    own: Sequence[ExternalServicePlan],
    *,
    selecting: Sequence[ExternalServicePlan],
    findings: Findings,
) -> None:
    wanted = {name for service in selecting for port in service.ports for name in port.names}
    dialled = {port.target for service in own for port in service.ports}
    known = sorted({name for service in own for port in service.ports for name in port.names})
    for port in _unused(endpoint, wanted, dialled=dialled):
        field = ("spec", "ports", port.index, "name")
        wrong = f'is "{port.name}", and no port of {own[0].ref} is called that' if port.name else "is missing"
        names = " or ".join(known)
        remedy = f"write the name of the service's port: {names}" if known else "name the ports of both alike"
        message = f"{format_path(field)} of {endpoint.ref} {wrong}, so {port.number} is never dialled; {remedy}."
        findings.warning(endpoint.ref, Reason.REF_NOT_FOUND, message=message, field=field)


def _unused(endpoint: ExternalEndpointPlan, names: set[str], *, dialled: set[int]) -> Iterator[EndpointPortPlan]:
    for port in () if endpoint.unix_path else endpoint.ports:
        if port.name not in names and port.number not in dialled:
            yield port
