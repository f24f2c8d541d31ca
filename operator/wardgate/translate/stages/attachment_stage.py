"""Third stage: attaches policies and foreign guards to routes."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.foreign.guards import GuardAttachment, attach_guards, close_unmet, tell_tables
from wardgate.translate.policies import lost_policies
from wardgate.translate.policies.auth_attachment import AuthAttachment, attach_auth
from wardgate.translate.policies.transformation_attachment import TransformationAttachment, attach_transformations
from wardgate.translate.selection.idle_policies import IdlePolicies
from wardgate.translate.stages.policy_stage import Policies
from wardgate.translate.stages.route_stage import Routing
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class PolicyAttachment:
    """All attachments, by the numbers of the routes."""

    auth: AuthAttachment
    guards: GuardAttachment
    transformations: TransformationAttachment
    lost: tuple[StoredObject, ...]
    findings: Findings


def attach_policies(
    routing: Routing,
    policies: Policies,
    *,
    guards: tuple[StoredObject, ...],
    lost: tuple[StoredObject, ...],
    settings: Settings,
    knows_policies: bool,
) -> PolicyAttachment:
    """Attach all policies, and close the routes that only foreign ``guards`` would guard.

    ``knows_policies``: the cluster has the kind ExtAuthPolicy. Without it no route may stay open. ``lost``: policies
    that went away with the kind, and close their routes once it is back.
    """
    findings, tenancy = Findings(), Tenancy.of(settings)
    idle = IdlePolicies(
        routing.routed.unserved.routes,
        routing.finder,
        cluster_name=settings.cluster_name,
        tenancy=tenancy,
        findings=findings,
    )
    auth = attach_auth(
        (*policies.auth, *lost_policies.closing(lost if knows_policies else ())),
        routing.instances,
        finder=routing.finder,
        tenancy=tenancy,
        findings=findings,
        idle=idle,
        require_auth=settings.require_auth or not knows_policies,
    )
    lost_policies.tell_tables(auth.owners.items(), auth.lost, instances=routing.instances, findings=findings)
    foreign = attach_guards(guards, auth, finder=routing.finder, tenancy=tenancy)
    if settings.foreign_guards == "close":
        close_unmet(foreign, auth)
        tell_tables(foreign, routing.instances, tenancy=tenancy, findings=findings)
    transformations = attach_transformations(
        policies.transformations, finder=routing.finder, tenancy=tenancy, findings=findings, idle=idle
    )
    return PolicyAttachment(auth, foreign, transformations, lost, findings)
