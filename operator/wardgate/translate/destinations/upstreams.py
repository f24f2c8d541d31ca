"""The upstreams that routes forward to: Services by their cluster DNS name, ExternalServices as described.

An upstream is made when the first route asks for it: a service that no route uses costs the proxy nothing. Looking up
the same destination twice gives the same upstream.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wardgate.ir import Endpoint, Refuse, Upstream
from wardgate.problems import Cause, ObjectRef, Reason
from wardgate.settings import Settings
from wardgate.translate.destinations.cluster_hosts import absolute
from wardgate.translate.destinations.destination import Destination
from wardgate.translate.destinations.external_endpoints import ExternalEndpointPlan
from wardgate.translate.destinations.external_services import ExternalPort, ExternalServicePlan
from wardgate.translate.incremental.label_index import LabelIndex
from wardgate.translate.manifests import labels_of
from wardgate.translate.matching.host_names import normal
from wardgate.translate.plans.table_plans import DestinationPlan
from wardgate.translate.reading.last_good import ServedObject
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_COMPARED: Final = 100
"""Names that a misspelt one is compared with."""
UPSTREAM_MISSING = Refuse(500, "upstream_missing")
UPSTREAM_INVALID = Refuse(500, "upstream_invalid")
REFERENCE_REFUSED = Refuse(500, "reference_not_permitted")
DESTINATION_UNSUPPORTED = Refuse(500, "destination_unsupported")
KIND_LEFT_OUT: Final = (
    "has no kind, so that it names a Service, and there is an ExternalService of that name; write kind: "
    "EXTERNAL_SERVICE, or kind: SERVICE if the Service is meant"
)


@dataclass(frozen=True, slots=True)
class DestinationFault:
    """The reason why a destination cannot be used. ``text`` continues the sentence "spec... of RouteTable a/b ..."."""

    refuse: Refuse
    reason: Reason
    text: str
    cause: Cause | None = None


class Upstreams:
    """Looks up destinations for one translation, and collects the upstreams in use."""

    def __init__(
        self,
        services: Sequence[ServedObject[ExternalServicePlan]],
        endpoints: Sequence[ServedObject[ExternalEndpointPlan]],
        *,
        settings: Settings,
        service_labels: Mapping[tuple[str, str], frozenset[tuple[str, str]]],
    ) -> None:
        self._services = {(one.ref.namespace, one.ref.name): one for one in services}
        by_age = sorted(endpoints, key=lambda one: one.stored.age_key)
        good = [one.value for one in by_age if one.value is not None]
        self._endpoints = LabelIndex((endpoint, endpoint.labels) for endpoint in good)
        bad = [one for one in endpoints if one.value is None]
        self._bad_endpoints = LabelIndex((one.ref, labels_of(one.stored.manifest).items()) for one in bad)
        self._settings = settings
        self._tenancy = Tenancy.of(settings)
        self._service_labels = service_labels
        self._made: dict[str, Upstream] = {}

    def named(self, names: Iterable[str]) -> tuple[Upstream, ...]:
        """The upstreams of these names, sorted."""
        return tuple(self._made[name] for name in sorted(set(names)))

    def seen_by_policies(self, plan: DestinationPlan) -> Destination:
        """The destination as selectors see it, whether or not it exists."""
        key = (plan.namespace, plan.name)
        labels: frozenset[tuple[str, str]] | None = None
        if plan.kind == "SERVICE":
            labels = self._service_labels.get(key)
        elif key in self._services:
            value = self._services[key].value
            labels = value.labels if value is not None else None
        return Destination(plan.kind, plan.namespace, plan.name, plan.port, labels)

    def have_one_owner(self, table: ObjectRef, plan: DestinationPlan) -> bool:
        """Whether the owner of a table also answers for its route's destination; a tenant always answers for both."""
        owner = self._tenancy.owner(table.namespace)
        return bool(owner) or owner == self._tenancy.owner(plan.namespace)

    def find(self, plan: DestinationPlan, *, table: ObjectRef) -> Upstream | DestinationFault:
        """The upstream of one destination of a route of ``table``."""
        if plan.kind not in ("SERVICE", "EXTERNAL_SERVICE"):
            text = f"is a {plan.kind}, which this gateway cannot forward to; use SERVICE or EXTERNAL_SERVICE"
            return DestinationFault(DESTINATION_UNSUPPORTED, Reason.UNSUPPORTED, text)
        if self._settings.cluster_name is not None and plan.cluster not in (None, self._settings.cluster_name):
            text = f"lies in cluster {plan.cluster}, which is not this installation's"
            return DestinationFault(UPSTREAM_MISSING, Reason.REF_NOT_FOUND, text)
        if not self._tenancy.may_reference(table.namespace, plan.namespace):
            text = f"may not name anything in namespace {plan.namespace} under isolated tenancy"
            return DestinationFault(REFERENCE_REFUSED, Reason.REF_NOT_PERMITTED, text)
        found = self._service(plan) if plan.kind == "SERVICE" else self._external(plan, table=table)
        if isinstance(found, DestinationFault) and self.may_mean_external(plan):
            # The forgotten kind is the likelier mistake.
            return replace(found, text=KIND_LEFT_OUT)
        if isinstance(found, Upstream) and self._lends_identity(found, plan, table=table):
            text = (
                "names an ExternalService with a client certificate, that speaks for the platform; name one of your own"
            )
            return DestinationFault(REFERENCE_REFUSED, Reason.REF_NOT_PERMITTED, text)
        if isinstance(found, Upstream):
            self._made[found.name] = found
        return found

    def may_mean_external(self, plan: DestinationPlan) -> bool:
        """Whether a destination without a kind has the name of an ExternalService, and of no known Service."""
        key = (plan.namespace, plan.name)
        return not plan.kind_given and key in self._services and key not in self._service_labels

    def _lends_identity(self, upstream: Upstream, plan: DestinationPlan, *, table: ObjectRef) -> bool:
        """Whether an upstream would take a tenant's requests for those of its owner, who is another."""
        shows = upstream.tls is not None and upstream.tls.certificate is not None
        return shows and self._tenancy.owner(table.namespace) not in ("", self._tenancy.owner(plan.namespace))

    def endpoints_of(self, plan: ExternalServicePlan) -> list[ExternalEndpointPlan]:
        """The ExternalEndpoints that count for a service, the oldest first."""
        if not plan.selector:
            return []
        found = self._endpoints.carrying(plan.selector)
        return [one for one in found if self._tenancy.counts_for(plan.ref.namespace, one.ref.namespace)]

    def _bad_endpoints_of(self, service: ExternalServicePlan) -> list[ObjectRef]:
        """Selected endpoints that cannot be used: DNS must not take their place."""
        bad = self._bad_endpoints.carrying(service.selector) if service.selector else ()
        return sorted(ref for ref in bad if self._tenancy.counts_for(service.ref.namespace, ref.namespace))

    def _service(self, plan: DestinationPlan) -> Upstream | DestinationFault:
        if not isinstance(plan.port, int):
            text = "needs port.number; the ports of Services are not read, so neither a name nor a default is known"
            return DestinationFault(UPSTREAM_INVALID, Reason.INVALID, text)
        if not (_LABEL.fullmatch(plan.name) and _LABEL.fullmatch(plan.namespace)):
            text = "does not name a Service; names of Services and namespaces are labels such as web-1"
            return DestinationFault(UPSTREAM_INVALID, Reason.INVALID, text)
        host = f"{plan.name}.{plan.namespace}.svc.{self._settings.cluster_domain}"
        name = f"service/{plan.namespace}/{plan.name}:{plan.port}"
        return Upstream(name=name, endpoints=(Endpoint(host, plan.port),), send_user_id=True, send_forwarded=True)

    def _external(self, plan: DestinationPlan, *, table: ObjectRef) -> Upstream | DestinationFault:
        where = ObjectRef("ExternalService", plan.namespace, plan.name)
        cause = Cause(where)
        served = self._services.get((plan.namespace, plan.name))
        if served is None:
            reason, absence = Sight.of(self._settings).absence(where)
            remedy = self._remedy(plan, table=table) if reason is Reason.REF_NOT_FOUND else ""
            return DestinationFault(UPSTREAM_MISSING, reason, f"names {where}, which {absence}{remedy}", cause)
        if served.value is None:
            return DestinationFault(UPSTREAM_INVALID, Reason.INVALID, f"names {where}, which is INVALID", cause)
        port = _port(served.value, plan.port)
        if port is None:
            if served.form is None:
                return DestinationFault(
                    UPSTREAM_INVALID, Reason.INVALID, f"names a port of {where}, which is INVALID", cause
                )
            known = ", ".join(str(one.number) for one in served.value.ports)
            text = f"does not name a port of {where}; it has {known}"
            return DestinationFault(UPSTREAM_MISSING, Reason.REF_NOT_FOUND, text)
        return self._upstream(served.value, port)

    def _remedy(self, plan: DestinationPlan, *, table: ObjectRef) -> str:
        """The services that may be meant: one of that name elsewhere, or of nearly that name there."""
        places = [one for one in self._services if self._tenancy.may_reference(table.namespace, one[0])]
        meant = sorted(one for one in places if one[1] == plan.name)
        if not meant:
            there = [name for namespace, name in places if namespace == plan.namespace]
            meant = [
                (plan.namespace, name) for name in difflib.get_close_matches(plan.name, sorted(there)[:_COMPARED], n=1)
            ]
        if meant:
            return f"; did you mean {meant[0][0]}/{meant[0][1]}? Correct the reference, or create the service"
        return "; correct the reference, or create the service"

    def _upstream(self, service: ExternalServicePlan, port: ExternalPort) -> Upstream | DestinationFault:
        selected = self.endpoints_of(service)
        if not selected and (bad := self._bad_endpoints_of(service)):
            text = f"names {service.ref}, all of whose ExternalEndpoints are INVALID"
            return DestinationFault(UPSTREAM_INVALID, Reason.INVALID, text, Cause(bad[0]))
        endpoints = tuple(endpoint.at(port) for endpoint in selected) or self._dialled(service, port)
        if not endpoints:
            text = f"names {service.ref}, which has neither a host that can be looked up nor ExternalEndpoints"
            return DestinationFault(UPSTREAM_INVALID, Reason.INVALID, text)
        return Upstream(
            name=f"external/{service.ref.namespace}/{service.ref.name}:{port.number}",
            endpoints=tuple(dict.fromkeys(endpoints)),
            tls=port.tls,
            bound_hosts=None if selected else _bound_hosts(service, port, endpoints=endpoints),
            send_user_id=self._settings.user_id_to_external,
            send_forwarded=self._settings.forwarded_to_external,
        )

    def _dialled(self, service: ExternalServicePlan, port: ExternalPort) -> tuple[Endpoint, ...]:
        hosts = service.dialled[:1] if port.first_host_only else service.dialled
        return tuple(Endpoint(absolute(host, service.ref, tenancy=self._tenancy), port.target) for host in hosts)


def _port(service: ExternalServicePlan, wanted: int | str | None) -> ExternalPort | None:
    """The port that a destination names; a destination without one means the only port."""
    if wanted is None:
        return service.ports[0] if len(service.ports) == 1 else None
    return next((port for port in service.ports if wanted == port.number or wanted in port.names), None)


def _bound_hosts(
    service: ExternalServicePlan, port: ExternalPort, *, endpoints: Sequence[Endpoint]
) -> tuple[str, ...] | None:
    """The names dialled and verified (invariant 11); None if anything else takes part."""
    tls = port.tls
    if tls is None or not tls.verify or tls.ca is not None or not service.by_name:
        return None
    names = {normal(endpoint.host) for endpoint in endpoints}
    return tuple(sorted(names.union(tls.verify_names or (tls.sni,))))
