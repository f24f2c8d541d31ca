"""Reads one ExternalService: the names or addresses to dial, the ports, and the TLS settings.

Stricter than Gloo in one point (invariant 8): a server's certificate is verified against the system's roots unless
``insecureSkipVerify`` is spelled out. Gloo verifies nothing where ``caCertificates`` is absent.

Several hosts are dialled in turn. With TLS and no ``sni`` only the first is, because the certificate has to carry one
expected name. Wildcard hosts cannot be looked up, so they need ExternalEndpoints.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Final

from wardgate.api.kinds.external_service import ClientsideTls, ExternalService, ExternalServicePort
from wardgate.ir import FileRef, UpstreamTls
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, Reason, format_path
from wardgate.translate.contract import ParsedObject, Scope
from wardgate.translate.destinations.cluster_hosts import may_dial
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import labels_of
from wardgate.translate.matching.host_names import is_dns_name, is_wildcard, normal
from wardgate.translate.reading.last_good import Reading
from wardgate.translate.secrets.file_paths import file_below
from wardgate.translate.secrets.secret_references import Reference, ca_bundle, certificate_pair, find_secret


@dataclass(frozen=True, slots=True)
class ExternalPort:
    """One port. By its ``names`` an ExternalEndpoint may give it another number.

    ``first_host_only``: of several hosts only the first can be dialled, because TLS expects one name.
    """

    number: int
    target: int
    names: tuple[str, ...]
    tls: UpstreamTls | None
    first_host_only: bool = False


@dataclass(frozen=True, slots=True)
class ExternalServicePlan:
    """``dialled`` are concrete names or addresses. A non-empty ``selector`` asks for ExternalEndpoints first."""

    ref: ObjectRef
    labels: frozenset[tuple[str, str]]
    dialled: tuple[str, ...]
    by_name: bool
    selector: tuple[tuple[str, str], ...]
    ports: tuple[ExternalPort, ...]


_UNSUPPORTED_PROTOCOLS: Final = frozenset({"MONGO", "TCP", "TLS"})
_CERTIFICATES: Final = frozenset({"tls.crt", "cert"})
_AUTHORITIES: Final = frozenset({"ca.crt", "cacert"})


def read_external_service(parsed: ParsedObject[ExternalService], scope: Scope) -> Reading[ExternalServicePlan]:
    """Read one ExternalService; a mistake in one port leaves the others usable."""
    return _ExternalServiceReader(parsed, scope).read()


class _ExternalServiceReader:
    def __init__(self, parsed: ParsedObject[ExternalService], scope: Scope) -> None:
        self.ref = parsed.ref
        self.stored = parsed.stored
        self.spec = parsed.model.spec
        self.scope = scope
        self.findings = Findings()

    def read(self) -> Reading[ExternalServicePlan]:
        hosts, addresses = self._hosts(), self._addresses()
        dialled = hosts or addresses
        selector = tuple(sorted((self.spec.selector or {}).items()))
        wanted = (self._port(index, port, hosts=hosts) for index, port in enumerate(self.spec.ports))
        ports = tuple(port for port in wanted if port is not None)
        plan = ExternalServicePlan(
            ref=self.ref,
            labels=frozenset(labels_of(self.stored.manifest).items()),
            dialled=dialled,
            by_name=bool(hosts),
            selector=selector,
            ports=ports,
        )
        return Reading(plan, self.findings.of(self.ref))

    def _hosts(self) -> tuple[str, ...]:
        """The names that can be looked up."""
        concrete, wildcards = [], []
        for index, raw in enumerate(self.spec.hosts):
            host, field = normal(raw), ("spec", "hosts", index)
            if is_wildcard(host) and is_dns_name(host.removeprefix("*.")):
                wildcards.append(field)
            elif is_dns_name(host):
                if may_dial(host, self.ref, field=field, scope=self.scope, findings=self.findings):
                    concrete.append(host)
            else:
                self._error(Reason.INVALID, "is not a host name such as api.example.com", field=field)
        text = "is a wildcard, which cannot be looked up; name a host, or select ExternalEndpoints"
        for field in () if self.spec.selector else wildcards:
            if concrete:
                self._warn(text, field)
            else:
                self._error(Reason.UNSUPPORTED, text, field=field)
        return tuple(dict.fromkeys(concrete))

    def _addresses(self) -> tuple[str, ...]:
        found = []
        for index, raw in enumerate(self.spec.addresses):
            field = ("spec", "addresses", index)
            try:
                network = ipaddress.ip_network(raw.strip())
            except ValueError:
                self._error(Reason.INVALID, "is not an IP address", field=field)
                continue
            if network.num_addresses == 1:
                found.append(str(network.network_address))
            else:
                self._error(
                    Reason.UNSUPPORTED, "is a range of addresses, which cannot be dialled; list addresses", field=field
                )
        return tuple(dict.fromkeys(found))

    def _port(self, index: int, port: ExternalServicePort, *, hosts: tuple[str, ...]) -> ExternalPort | None:
        field: FieldPath = ("spec", "ports", index)
        if port.protocol in _UNSUPPORTED_PROTOCOLS:
            self._error(
                Reason.UNSUPPORTED, f"is {port.protocol}, which this gateway does not speak", field=(*field, "protocol")
            )
            return None
        self._report_passive(port, field)
        target = port.target_port
        names = tuple(name for name in (target.name if target else None, port.name) if name)
        number = target.number if target and target.number else port.number
        plan = ExternalPort(number=port.number, target=number, names=names, tls=None)
        if port.clientside_tls is None or port.clientside_tls.mode == "DISABLE":
            return plan
        tls = self._tls(port.clientside_tls, (*field, "clientsideTls"), hosts=hosts)
        if tls is None:
            return None
        alone = len(hosts) > 1 and not port.clientside_tls.sni
        if alone and not self.spec.selector:
            self._one_host(hosts, (*field, "clientsideTls", "sni"))
        return replace(plan, tls=tls, first_host_only=alone)

    def _one_host(self, hosts: tuple[str, ...], field: FieldPath) -> None:
        text = (
            f"is absent, so of its hosts only {hosts[0]} is dialled; set sni to the name that all their certificates "
            "carry, or describe each host as an ExternalService of its own"
        )
        self._warn(text, field)

    def _tls(self, tls: ClientsideTls, field: FieldPath, *, hosts: tuple[str, ...]) -> UpstreamTls | None:
        if tls.mode not in (None, "SIMPLE", "MUTUAL"):
            self._error(Reason.UNSUPPORTED, f"is {tls.mode}, which needs a mesh; use SIMPLE", field=(*field, "mode"))
            return None
        names = tuple(normal(name) for name in self.spec.subject_alt_names)
        sni = normal(tls.sni) if tls.sni else next(iter((*hosts, *names)), "")
        if not sni:
            self._error(Reason.INVALID, "needs sni, because nothing else says whom to expect", field=field)
            return None
        plan = UpstreamTls(sni=sni, verify=not tls.insecure_skip_verify, verify_names=names)
        return self._with_material(plan, tls, field=field)

    def _with_material(self, plan: UpstreamTls, tls: ClientsideTls, *, field: FieldPath) -> UpstreamTls | None:
        """The TLS settings with the certificates that they name."""
        if tls.credential_name:
            plan_or_none = self._with_secret(plan, tls.credential_name, field=(*field, "credentialName"))
        else:
            plan_or_none = self._with_files(plan, tls, field=field)
        if plan_or_none is None:
            return None
        pair = (plan_or_none.certificate, plan_or_none.private_key)
        if None in pair and (tls.mode == "MUTUAL" or pair != (None, None)):
            self._error(Reason.INVALID, "needs clientCertificate and privateKey, or credentialName", field=field)
            return None
        return plan_or_none

    def _with_files(self, plan: UpstreamTls, tls: ClientsideTls, *, field: FieldPath) -> UpstreamTls | None:
        named = {
            "caCertificates": tls.ca_certificates,
            "clientCertificate": tls.client_certificate,
            "privateKey": tls.private_key,
        }
        files: dict[str, FileRef] = {}
        for name, path in named.items():
            if not path:
                continue
            root = self.scope.settings.files_root
            tenancy = self.scope.tenancy
            file = file_below(path, root, setting="filesRoot", ref=self.ref, field=(*field, name), tenancy=tenancy)
            if isinstance(file, Problem):
                self.findings.extend((file,))
                return None
            files[name] = file
        return replace(
            plan,
            ca=files.get("caCertificates"),
            certificate=files.get("clientCertificate"),
            private_key=files.get("privateKey"),
        )

    def _with_secret(self, plan: UpstreamTls, name: str, *, field: FieldPath) -> UpstreamTls | None:
        """The TLS settings with a Secret's client certificate, authorities, or both."""
        reference = Reference(self.ref, field, self.ref.namespace, name)
        secret = find_secret(reference, self.scope)
        if isinstance(secret, Problem):
            self.findings.extend((secret,))
            return None
        entries = {*secret.data, *secret.unreadable}
        pair = certificate_pair(reference, self.scope) if entries & _CERTIFICATES else None
        authorities = ca_bundle(reference, self.scope) if entries & _AUTHORITIES or pair is None else None
        for problem in (pair, authorities):
            if isinstance(problem, Problem):
                self.findings.extend((problem,))
        if isinstance(pair, Problem) or isinstance(authorities, Problem):
            return None
        with_ca = replace(plan, ca=authorities)
        return with_ca if pair is None else replace(with_ca, certificate=pair.certificate, private_key=pair.private_key)

    def _report_passive(self, port: ExternalServicePort, field: FieldPath) -> None:
        if port.egress_gateway_routes is not None:
            name = "egressGatewayRoutes"
            self._warn("has no effect on this gateway", (*field, name), cause=Cause(name))
        if port.protocol in ("GRPC", "HTTP2"):
            text = f"is {port.protocol}; this gateway speaks HTTP/1.1 to it"
            self._warn(text, (*field, "protocol"), cause=Cause("protocol"))
        if port.protocol == "HTTPS" and port.clientside_tls is None:
            named = self.spec.hosts or self.spec.subject_alt_names
            remedy = "add clientsideTls: {}" if named else "add clientsideTls with the sni of the server"
            text = f"is HTTPS, but without clientsideTls everything is sent as plain text; {remedy}"
            self._warn(text, (*field, "protocol"))

    def _warn(self, what: str, field: FieldPath, *, cause: Cause | None = None) -> None:
        message = f"{format_path(field)} of {self.ref} {what}."
        self.findings.warning(self.ref, Reason.NO_EFFECT, message=message, field=field, cause=cause)

    def _error(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.error(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)
