"""Reads one ExternalEndpoint: an address, a name or a unix socket, and its own port numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.external_endpoint import ExternalEndpoint
from wardgate.ir import Endpoint
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, Reason
from wardgate.translate.contract import ParsedObject, Scope
from wardgate.translate.destinations.cluster_hosts import absolute, may_dial
from wardgate.translate.destinations.external_services import ExternalPort
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import labels_of
from wardgate.translate.matching.host_names import is_dns_name, is_ip, normal
from wardgate.translate.reading.last_good import Reading
from wardgate.translate.secrets.file_paths import file_below

_UNIX: Final = "unix://"
_ADDRESS: Final[FieldPath] = ("spec", "address")


@dataclass(frozen=True, slots=True)
class EndpointPortPlan:
    """The number that the service's port of this name has at an endpoint; an empty name matches no port.

    ``index`` is that of ``spec.ports``.
    """

    name: str
    number: int
    index: int


@dataclass(frozen=True, slots=True)
class ExternalEndpointPlan:
    """``ports`` gives ports of the service another number here, by their names."""

    ref: ObjectRef
    labels: frozenset[tuple[str, str]]
    host: str
    unix_path: str
    ports: tuple[EndpointPortPlan, ...]

    def at(self, port: ExternalPort) -> Endpoint:
        """The address at which this endpoint serves a port of the service."""
        if self.unix_path:
            return Endpoint("", 0, self.unix_path)
        numbers = {one.name: one.number for one in self.ports}
        number = next((numbers[name] for name in port.names if name in numbers), port.target)
        return Endpoint(self.host, number)


def read_external_endpoint(parsed: ParsedObject[ExternalEndpoint], scope: Scope) -> Reading[ExternalEndpointPlan]:
    """Read one ExternalEndpoint."""
    spec, ref, findings = parsed.model.spec, parsed.ref, Findings()
    host, unix_path = normal(spec.address), ""
    if spec.address.startswith(_UNIX):
        path, root = spec.address.removeprefix(_UNIX), scope.settings.unix_root
        file = file_below(path, root, setting="unixRoot", ref=ref, field=_ADDRESS, tenancy=scope.tenancy)
        if isinstance(file, Problem):
            return Reading(None, (file,))
        host, unix_path = "", file.path
    elif not (is_ip(host) or is_dns_name(host)):
        findings.error(
            ref,
            Reason.INVALID,
            message=f"spec.address of {ref} is neither an IP address, a host name nor unix://PATH.",
            field=_ADDRESS,
        )
        return Reading(None, findings.of(ref))
    elif not may_dial(host, ref, field=_ADDRESS, scope=scope, findings=findings):
        return Reading(None, findings.of(ref))
    if spec.locality is not None:
        message = f"spec.locality of {ref} has no effect on this gateway; endpoints take turns."
        findings.warning(ref, Reason.NO_EFFECT, message=message, field=("spec", "locality"), cause=Cause("locality"))
    ports = tuple(EndpointPortPlan(port.name or "", port.number, index) for index, port in enumerate(spec.ports))
    labels = frozenset(labels_of(parsed.stored.manifest).items())
    looked_up = absolute(host, ref, tenancy=scope.tenancy)
    return Reading(ExternalEndpointPlan(ref, labels, looked_up, unix_path, ports), findings.of(ref))
