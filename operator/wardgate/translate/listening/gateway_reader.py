"""Reads one VirtualGateway. A listener that cannot be opened leaves the gateway's others alone.

A port is a number of the gateway's Service, which is not read. Of port names only the conventional ``http`` (80) and
``https`` (443) are understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wardgate.api.kinds import virtual_gateway as api
from wardgate.api.kinds.selectors import ObjectSelector, WorkloadSelector
from wardgate.problems import Cause, FieldPath, ObjectRef, Reason, format_path
from wardgate.settings import Settings
from wardgate.translate.contract import ParsedObject, Scope
from wardgate.translate.findings import Findings
from wardgate.translate.listening.front_reader import FrontReader, GatewayFront
from wardgate.translate.listening.listener_tls import TlsReader
from wardgate.translate.matching.host_names import is_pattern, normal
from wardgate.translate.matching.matcher_reader import MatcherReader
from wardgate.translate.matching.route_filters import read_filters
from wardgate.translate.plans.gateway_plans import AllowedTables, GatewayPlan, ListenerPlan
from wardgate.translate.reading.last_good import Reading

_PORT_NAMES: Final = {"http": 80, "https": 443}
_PROTOCOLS: Final = frozenset({None, "HTTP", "HTTP2", "HTTPS", "GRPC", "GRPC-WEB"})


def read_gateway(parsed: ParsedObject[api.VirtualGateway], scope: Scope) -> Reading[GatewayPlan]:
    """Read one VirtualGateway with the listeners that can be opened."""
    if not scope.tenancy.is_platform(parsed.namespace):
        findings = Findings()
        message = (
            f"{parsed.ref} opens no listener: under isolated tenancy only a gateway of a platform namespace does. "
            "Move it to one, or delete it and have your RouteTables name the platform's gateway."
        )
        findings.error(parsed.ref, Reason.REF_NOT_PERMITTED, message=message)
        return Reading(None, findings.of(parsed.ref))
    reader = _ListenerReader(parsed.ref, scope)
    front = reader.fronts.read(parsed.model.metadata.annotations)
    if front is None:
        return Reading(None, reader.findings.of(parsed.ref))
    listeners = reader.listeners(parsed.model.spec.listeners, front)
    ours = _is_ours(parsed.model.spec.workloads, scope.settings)
    if not ours:
        reader.warn(
            "selects other gateways than this installation's, so it opens no listener here", ("spec", "workloads")
        )
    return Reading(GatewayPlan(parsed.stored, ours, listeners), reader.findings.of(parsed.ref))


class _ListenerReader:
    def __init__(self, ref: ObjectRef, scope: Scope) -> None:
        self.ref = ref
        self.scope = scope
        self.findings = Findings()
        self.fronts = FrontReader(ref, self.findings)

    def listeners(self, listeners: Sequence[api.Listener], front: GatewayFront) -> tuple[ListenerPlan, ...]:
        plans = (self._listener(index, listener, front=front) for index, listener in enumerate(listeners))
        found = tuple(plan for plan in plans if plan is not None)
        self.fronts.check(front, ports={plan.port for plan in found})
        return found

    def _listener(self, index: int, listener: api.Listener, *, front: GatewayFront) -> ListenerPlan | None:
        field: FieldPath = ("spec", "listeners", index)
        if listener.exposed_external_services:
            name = "exposedExternalServices"
            self.warn("has no effect on this gateway", (*field, name), cause=Cause(name))
        if listener.tcp is not None or listener.app_protocol not in _PROTOCOLS:
            what = "tcp" if listener.tcp is not None else "appProtocol"
            self._error(Reason.UNSUPPORTED, "is not supported; this gateway speaks HTTP only", field=(*field, what))
            return None
        if listener.app_protocol in ("HTTP2", "GRPC", "GRPC-WEB"):
            self.warn(
                f"is {listener.app_protocol}; this gateway speaks HTTP/1.1",
                (*field, "appProtocol"),
                cause=Cause("appProtocol"),
            )
        port = listener.port.number or _PORT_NAMES.get(listener.port.name or "")
        if port is None:
            text = "is not known, because the ports of Services are not read; give the port's number"
            self._error(Reason.UNSUPPORTED, text, field=(*field, "port", "name"))
            return None
        if not self._is_open(port, (*field, "port", "number")):
            return None
        tls = None
        if listener.tls is not None:
            reader = TlsReader(self.ref, self.scope, self.findings)
            tls = reader.read(listener.tls, (*field, "tls"))
            if tls is None:
                return None
        allowed = listener.allowed_route_tables
        return ListenerPlan(
            index=index,
            port=port,
            tls=tls,
            https_redirect=listener.https_redirect,
            front=front.of(port),
            allowed=None if allowed is None else self._allowed(allowed, (*field, "allowedRouteTables")),
        )

    def _is_open(self, port: int, field: FieldPath) -> bool:
        """Whether a listener may have the port; one that callers cannot reach is told."""
        settings = self.scope.settings
        if port == settings.admin_port:
            text = f"is {port}, the port of the proxies' own admin endpoints; use another one"
            self._error(Reason.PORT_CONFLICT, text, field=field)
            return False
        if settings.service_ports and port not in settings.service_ports:
            offered = ", ".join(map(str, sorted(settings.service_ports)))
            message = (
                f"{format_path(field)} of {self.ref} is {port}, which the proxies' Service does not offer to callers: "
                f"it has {offered}. Use one of these, or add the port to the Service (proxy.ports of the chart)."
            )
            self.findings.warning(self.ref, Reason.PORT_NOT_OFFERED, message=message, field=field)
        return True

    def _allowed(self, allowed: Sequence[api.AllowedRouteTables], field: FieldPath) -> tuple[AllowedTables, ...]:
        entries = (self._entry(entry, (*field, index)) for index, entry in enumerate(allowed))
        return tuple(entry for entry in entries if entry is not None)

    def _entry(self, entry: api.AllowedRouteTables, field: FieldPath) -> AllowedTables | None:
        """One entry; a bad one lets no table in."""
        namespace, slash, host = entry.host.rpartition("/")
        host = normal(host)
        if not is_pattern(host) or (slash and not namespace):
            self._error(
                Reason.INVALID,
                "is not a host such as *.example.com, with or without NAMESPACE/",
                field=(*field, "host"),
            )
            return None
        matchers = MatcherReader(self.ref, Findings())
        filters = read_filters(entry.allowed_routes, matchers, field=(*field, "allowedRoutes"))
        self.findings.extend(matchers.findings.of(self.ref))
        if matchers.findings.is_invalid(self.ref):
            return None
        selector = entry.selector or ObjectSelector()
        return AllowedTables(
            host=host,
            host_namespace={"": None, "*": None, ".": self.ref.namespace}.get(namespace, namespace),
            name=selector.name or None,
            namespace=selector.namespace or None,
            labels=frozenset(selector.labels.items()),
            cluster=selector.cluster or None,
            allowed=filters,
        )

    def warn(self, what: str, field: FieldPath, *, cause: Cause | None = None) -> None:
        message = f"{format_path(field)} of {self.ref} {what}."
        self.findings.warning(self.ref, Reason.NO_EFFECT, message=message, field=field, cause=cause)

    def _error(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.error(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)


def _is_ours(workloads: Sequence[WorkloadSelector] | None, settings: Settings) -> bool:
    """Whether the gateway means this installation. Absent workloads mean all; one without a selector means none."""
    return workloads is None or any(_selects_us(workload, settings) for workload in workloads)


def _selects_us(workload: WorkloadSelector, settings: Settings) -> bool:
    selector = workload.selector
    if selector is None or workload.kind != "KUBE":
        return False
    if settings.gateway_namespace is not None and selector.namespace not in (None, "", settings.gateway_namespace):
        return False
    if settings.cluster_name is not None and selector.cluster not in (None, "", settings.cluster_name):
        return False
    return settings.gateway_labels is None or selector.labels.items() <= settings.gateway_labels.items()
