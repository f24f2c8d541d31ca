"""The counts in statuses, under the names of Gloo's own. A route counts once, however many hosts and parents it has.

``selectedWorkloadsCount`` of a gateway is one if it means this installation's gateway: pods are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from wardgate.api import KINDS
from wardgate.ir import Forward
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.manifests import at, mapping
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.policy_selectors import read_selectors
from wardgate.translate.statuses.key_verdicts import named_faults
from wardgate.translate.statuses.object_status import Count, Counts
from wardgate.translate.statuses.stage_results import StageResults


def all_counts(results: StageResults) -> dict[ObjectRef, Counts]:
    """The counts of every object that has any."""
    return {
        **_auth_policies(results),
        **_transformations(results),
        **_tables(results),
        **_gateways(results),
        **_services(results),
        **_servers(results),
    }


def gvk(kind: str) -> str:
    """A kind as Go prints it, as in Gloo's statuses."""
    return f"{KINDS[kind].api_version}, Kind={kind}"


def _auth_policies(results: StageResults) -> dict[ObjectRef, Counts]:
    found: dict[ObjectRef, Counts] = {}
    for policy in results.policies.auth:
        numbers = results.attached.auth.selected[policy.ref]
        found[policy.ref] = {
            "num_selected_routes": _routes(numbers, results.routing.instances),
            "num_selected_destination_ports": _ports(
                (policy.form or policy.stored).manifest, numbers, instances=results.routing.instances
            ),
            "keys": _keys(policy.ref, policy.value, results=results) if policy.value is not None else {},
        }
    return found


def _transformations(results: StageResults) -> dict[ObjectRef, Counts]:
    return {
        ref: {"num_selected_routes": _routes(numbers, results.routing.instances)}
        for ref, numbers in results.attached.transformations.selected.items()
    }


def _tables(results: StageResults) -> dict[ObjectRef, Counts]:
    applied: dict[ObjectRef, set[ObjectRef]] = {}
    for number, owner in results.attached.auth.owners.items():
        applied.setdefault(results.routing.instances[number].table, set()).add(owner)
    for policy, numbers in results.attached.transformations.selected.items():
        for number in numbers:
            applied.setdefault(results.routing.instances[number].table, set()).add(policy)
    found: dict[ObjectRef, Counts] = {}
    for stored in results.snapshot.of("RouteTable"):
        kinds = [policy.kind for policy in applied.get(stored.ref, ())]
        found[stored.ref] = {
            "num_applied_route_policies": {gvk(kind): kinds.count(kind) for kind in sorted(set(kinds))},
            "num_parent_route_tables": len(results.routing.routed.parents.get(stored.ref, ())),
            "num_allowed_virtual_gateways": len(results.routing.routed.gateways.get(stored.ref, ())),
        }
    return found


def _gateways(results: StageResults) -> dict[ObjectRef, Counts]:
    tables: dict[ObjectRef, set[ObjectRef]] = {}
    for table, gateways in results.routing.routed.gateways.items():
        for gateway in gateways:
            tables.setdefault(gateway, set()).add(table)
    services: dict[ObjectRef, set[ObjectRef]] = {}
    for service, gateways in _services_by_gateway(results).items():
        for gateway in gateways:
            services.setdefault(gateway, set()).add(service)
    return {
        gateway.ref: {
            "route_tables_count": len(tables.get(gateway.ref, ())),
            "selected_workloads_count": int(gateway.value is not None and gateway.value.is_ours),
            "external_services_count": len(services.get(gateway.ref, ())),
        }
        for gateway in results.routing.gateways
    }


def _services(results: StageResults) -> dict[ObjectRef, Counts]:
    gateways = _services_by_gateway(results)
    return {
        service.ref: {
            "num_selected_external_endpoints": (
                len(results.routing.upstreams.endpoints_of(service.value)) if service.value is not None else 0
            ),
            "num_selected_virtual_gateways": len(gateways.get(service.ref, ())),
        }
        for service in results.routing.services
    }


def _servers(results: StageResults) -> dict[ObjectRef, Counts]:
    naming: dict[ObjectRef, int] = {}
    for policy in results.policies.auth:
        server = _server(policy.stored)
        if server is not None:
            naming[server] = naming.get(server, 0) + 1
    return {server.ref: {"num_applied_policies": naming.get(server.ref, 0)} for server in results.policies.servers}


def _services_by_gateway(results: StageResults) -> dict[ObjectRef, set[ObjectRef]]:
    """For every ExternalService the gateways that have a route to it."""
    found: dict[ObjectRef, set[ObjectRef]] = {}
    for host in results.routing.routed.hosts:
        for instance in host.instances:
            for one in instance.destinations:
                if one.kind == "EXTERNAL_SERVICE" and isinstance(instance.action, Forward):
                    found.setdefault(ObjectRef("ExternalService", one.namespace, one.name), set()).add(host.gateway)
    return {service.ref: found[service.ref] for service in results.routing.services if service.ref in found}


def _routes(numbers: Iterable[int], instances: Sequence[RouteInstance]) -> int:
    return len({instances[number].origin for number in numbers})


def _ports(policy: Mapping[str, object], numbers: Iterable[int], *, instances: Sequence[RouteInstance]) -> int:
    """The number of Service ports that a policy guards because it selects destinations."""
    found = {one for number in numbers for one in instances[number].destinations if one.kind == "SERVICE"}
    if not found:
        return 0
    selectors = read_selectors(policy)
    counts = selectors.destinations or selectors.is_empty
    return len({(one.namespace, one.name, one.port) for one in found}) if counts else 0


def _keys(policy: ObjectRef, outcome: PolicyOutcome, *, results: StageResults) -> Mapping[str, Count]:
    """Counts of the Secrets that a policy selects. No clock is read: the writer of statuses adds expiries."""
    faults = named_faults(policy, outcome, results=results)
    sets = [results.keys.of(request.name) for request in outcome.key_sets]
    takers = [results.keys.takers(request.name) for request in outcome.key_sets]
    rejected = sets[0].rejected if len(sets) == 1 else _together([one.rejected for one in sets])
    reasons = Counter(rejected.values())
    for one in takers:
        reasons.update({reason.value: count for reason, count in one.closed.items()})
    return {
        "usable": sum(len(one.joined) for one in takers),
        "rejected": reasons.total(),
        "duplicate": len(frozenset[ObjectRef]().union(*(one.duplicates for one in sets))),
        **({"rejected_reasons": dict(sorted(reasons.items()))} if reasons else {}),
        **({"faults": faults} if faults else {}),
    }


def _together(rejected: Iterable[Mapping[ObjectRef, str]]) -> Mapping[ObjectRef, str]:
    """Every Secret once, even if several sets reject it."""
    return dict(sorted(fault for one in rejected for fault in one.items()))


def _server(policy: StoredObject) -> ObjectRef | None:
    """The ExtAuthServer that a policy names."""
    server = mapping(at(policy.manifest, "spec", "config", "server"))
    name, namespace = server.get("name"), server.get("namespace") or policy.ref.namespace
    return ObjectRef("ExtAuthServer", namespace, name) if isinstance(name, str) and isinstance(namespace, str) else None
